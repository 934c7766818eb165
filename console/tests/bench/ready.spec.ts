// The largest paint of pages on loopback, from an empty browser cache (a connection and TLS handshake of its own) and from a full one.
import { test, type Page } from '@playwright/test';
import { newestJob, opened } from '../e2e/console';
import { place } from '../e2e/service';

const kTimes = 20;
const kPages: [name: string, path: string, signedIn: boolean, ready: string][] = [
  ['sign in', '/', false, 'No user yet'], ['home', '/', true, 'Outside Holdfast'], ['recovery points', '/points', true, 'head code'],
  ['critical data backup', '/critical-data-backup', true, 'Repository Settings'],
];

async function largestPaint(page: Page, ready: string): Promise<number> {
  await page.getByText(ready).first().waitFor();
  await page.waitForTimeout(300);   // no larger paint follows
  return page.evaluate(() => new Promise<number>((done) => {
    new PerformanceObserver((list) => done(list.getEntries().at(-1)!.startTime)).observe({ type: 'largest-contentful-paint', buffered: true });
  }));
}

const said = (times: number[]): string => {
  const sorted = [...times].sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]!.toFixed(0).padStart(5)} ms (the slowest ${sorted.at(-1)!.toFixed(0)})`;
};

test('largest paint', async ({ browser }) => {
  const first = await opened(browser);
  await first.getByRole('link', { name: 'Home', exact: true }).click();
  await first.getByRole('button', { name: 'Back up now' }).click();
  await newestJob(first, /Backup, job/);
  const storageState = await first.context().storageState();
  await first.context().close();
  console.log(`\nlargest paint, ${kTimes} times each, the middle one:`);
  for (const [name, path, signedIn, ready] of kPages) {
    const cold: number[] = [], warm: number[] = [];
    for (let n = 0; n < kTimes; n += 1) {
      const context = await browser.newContext({ baseURL: place().url, ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, ...(signedIn ? { storageState } : {}) });
      const page = await context.newPage();
      await page.goto(path);
      cold.push(await largestPaint(page, ready));
      await page.goto(path);
      warm.push(await largestPaint(page, ready));
      await context.close();
    }
    console.log(`${name.padEnd(22)} empty cache ${said(cold)}   full cache ${said(warm)}`);
  }
});
