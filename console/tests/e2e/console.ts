// How the tests sit in front of the console: opened, signed in, and looked at after each test.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, type Browser, type Page } from '@playwright/test';
import { axeViolations } from './axe';
import { kPassword, kUser, place } from './service';

export const kPictures = resolve(process.env['HOLDFAST_PICTURES'] ?? 'artefacts');
export const kJobEnds = { timeout: 90_000 };

const faults: string[] = [];   // what Chromium complains about: the page's own errors and what the policy forbids

export async function openConsole(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ baseURL: place().url, ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', colorScheme: 'light' });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(message.text()); });
  return page;
}

export async function signIn(page: Page, user = kUser, password = kPassword): Promise<void> {
  await page.goto('/jobs');
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible();
}

export async function opened(browser: Browser): Promise<Page> {
  const page = await openConsole(browser);
  await signIn(page);
  return page;
}

// A picture, and nothing that axe, Chromium or a narrow window minds.
export async function inspect(page: Page, name: string): Promise<void> {
  mkdirSync(kPictures, { recursive: true });
  await page.evaluate(() => { window.scrollTo(0, 0); });   // what sticks to the window is where it belongs
  await page.screenshot({ path: `${kPictures}/${name.replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '').toLowerCase()}.png`, fullPage: true });
  expect.soft(await axeViolations(page), name).toEqual([]);
  expect.soft(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), `${name}: wider than the window`).toBeLessThanOrEqual(0);
  expect.soft(await page.evaluate(squeezed), `${name}: a letter a line`).toEqual([]);
  expect.soft(faults.splice(0), name).toEqual([]);
}

// Text for which a column left no room. Runs in the page.
function squeezed(): string[] {
  return [...document.querySelectorAll<HTMLElement>('dd, td, th, li, p')].filter((e) => e.clientWidth > 0 && e.clientWidth < 40 && e.clientHeight > 100 && e.innerText.trim().length > 8).map((e) => e.innerText);
}

export const kLooks = [[1280, 'light'], [1280, 'dark'], [400, 'dark'], [400, 'light']] as const;

export async function inspectInEveryLook(page: Page, name: string): Promise<void> {
  for (const [width, colorScheme] of kLooks) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await inspect(page, `${name}-${width}-${colorScheme}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

// The newest job, followed to its end on its own page.
export async function newestJob(page: Page, kind: RegExp, outcome: RegExp = /^Done/): Promise<void> {
  await page.goto('/jobs');
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(kind);
  await expect(page.locator('.page-head .badge')).toHaveText(outcome, kJobEnds);
}

export async function newestPoint(page: Page): Promise<void> {
  await page.goto('/points');
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'Identity card' })).toBeVisible();
}

// Presses what starts a job, and stops its process in the middle of its work while `look` is at it, so that there is time to look at a job that runs. `when`: how far it must have come.
export async function held(verb: string, press: () => Promise<void>, look: () => Promise<void>, when: () => boolean = () => true): Promise<void> {
  const { pid } = place();
  let found = 0;
  const search = setInterval(() => {
    const child = found ? undefined : childrenOf(pid).find((c) => argumentsOf(c).includes(verb));
    if (child === undefined || !when()) return;
    process.kill(child, 'SIGSTOP');
    found = child;
  }, 2);
  try {
    await press();
    await expect.poll(() => found, { message: `no process of holdfast ${verb}` }).not.toBe(0);
    await look();
  } finally {
    clearInterval(search);
    if (found) process.kill(found, 'SIGCONT');
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      return [];   // the thread has ended
    }
  });
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
