// How every page looks and whether axe finds anything, in light and dark, at 1280 and 400 pixels, over the development server. What the pages
// do against the product is proven in tests/e2e. Pictures: artefacts/look/.
import { mkdirSync } from 'node:fs';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { serve } from '../../dev/server.mjs';
import { axeViolations } from '../axe';

const kPictures = 'artefacts/look';
const kPoint = '/points/latest-id';
const kPages: [name: string, path: string, ready: string][] = [
  ['home', '/', 'Recovery points of the last'],
  ['critical-data-backup', '/critical-data-backup', 'Repository Settings'],
  ['points', '/points', 'head code'],
  ['point', kPoint, 'Identity card'],
  ['browse', `${kPoint}/browse?item=software-library&path=Packages`, 'fingerprint'],
  ['compare', '/compare/A/B', 'core-settings'],
  ['wizard', '/back-up-or-restore', 'Makes a recovery point'],
  ['wizard-backup', '/back-up-or-restore?do=backup', 'Repository'],
  ['wizard-restore', '/back-up-or-restore?do=restore', 'Recovery point'],
  ['recovery', '/recovery', 'Checks before anything is touched'],
  ['run-book', '/recovery/run-book', 'Printed from'],
  ['package', '/installation-package', 'Platform version'],
  ['kit', '/kit', 'Head code'],
  ['jobs', '/jobs', 'schedule offsite'],
  ['job', '/jobs/41', 'cannot reach'],
  ['growth', '/growth', 'Duration of backups'],
  ['alerts', '/alerts', 'Who is told'],
  ['users', '/users', 'API tokens'],
  ['audit', '/audit', 'The chain'],
];

interface Opened { page: Page; faults: string[]; close: () => Promise<void> }

async function open(browser: Browser, url: string, width: number, scheme: 'light' | 'dark', signIn = true): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width, height: width < 500 ? 860 : 900 }, colorScheme: scheme, baseURL: url, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => { if (message.type() === 'error' && !/40[13] \(|Failed to load resource/.test(message.text())) faults.push(message.text()); });
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto('/');
  if (signIn) {
    await page.getByLabel('User').fill('anna');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#content').waitFor();
  }
  return { page, faults, close: () => context.close() };
}

async function inspect(page: Page, name: string, found: string[]): Promise<void> {
  await page.waitForTimeout(150);
  await page.screenshot({ path: `${kPictures}/${name}.png`, fullPage: true });
  for (const violation of await axeViolations(page)) found.push(`${name}: ${violation}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) found.push(`${name}: ${wide} px wider than the window`);
}

test.beforeAll(() => { mkdirSync(kPictures, { recursive: true }); });

for (const width of [1280, 400])
  for (const scheme of ['light', 'dark'] as const)
    test(`every page at ${width}, ${scheme}`, async ({ browser }) => {
      const server = await serve({ built: true, points: 45 });
      const { page, faults, close } = await open(browser, server.url, width, scheme);
      const ids = await page.evaluate(async () => ((await (await fetch('/api/v1/points?limit=2')).json()) as { points: { id: string }[] }).points.map((p) => p.id));
      const found: string[] = [];
      for (const [name, path, ready] of kPages) {
        await page.goto(path.replace('latest-id', ids[0]!).replace('/A/B', `/${ids[1]}/${ids[0]}`));
        await page.getByText(ready).first().waitFor();
        await inspect(page, `${name}-${width}-${scheme}`, found);
      }
      await close();
      await server.close();
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
    });

for (const scheme of ['light', 'dark'] as const)
  test(`states and dialogs, ${scheme}`, async ({ browser }) => {
    const found: string[] = [];
    const faults: string[] = [];
    const within = async (options: object, act: (page: Page, url: string) => Promise<void>, signIn = true, width = 1280): Promise<void> => {
      const server = await serve({ built: true, ...options });
      const opened = await open(browser, server.url, width, scheme, signIn);
      await act(opened.page, server.url);
      faults.push(...opened.faults.filter((f) => !/ERR_|net::|EventSource/.test(f)));
      await opened.close();
      await server.close();
    };
    await within({}, async (page) => {
      await inspect(page, `sign-in-${scheme}`, found);
      await page.getByLabel('User').fill('anna');
      await page.getByLabel('Password', { exact: true }).fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Name or password is wrong').waitFor();
      await page.getByLabel('Password', { exact: true }).fill('wait');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('The next try').waitFor();
      await inspect(page, `sign-in-wait-${scheme}`, found);
    }, false, 400);
    await within({ state: 'empty' }, async (page) => {
      await page.getByText('This server would not come back now').waitFor();
      await page.getByText('No recovery point in this time').waitFor();
      await inspect(page, `empty-home-${scheme}`, found);
      for (const [path, text] of [['/points', 'There is no recovery point yet'], ['/jobs', 'No job has run yet'], ['/growth', 'Nothing to plot yet'], ['/recovery', 'there is no such recovery point']] as const) {
        await page.goto(path);
        await page.getByText(text).first().waitFor();
        await inspect(page, `empty${path.replace(/\//g, '-')}-${scheme}`, found);
      }
    });
    await within({ state: 'trouble' }, async (page) => {
      await page.getByText('is not known').first().waitFor();
      await inspect(page, `trouble-home-${scheme}`, found);
    });
    await within({ role: 'viewer' }, async (page) => {
      await page.goto('/critical-data-backup');
      await page.getByText('You see the settings').waitFor();
      await inspect(page, `viewer-settings-${scheme}`, found);
      await page.goto('/audit');
      await page.getByText('has no right for this').first().waitFor();
      await inspect(page, `viewer-audit-${scheme}`, found);
    });
    await within({}, async (page, url) => {
      await page.goto('/critical-data-backup');
      await page.getByRole('switch', { name: /Software Library Backup/ }).click();
      await page.getByRole('button', { name: 'Save changes' }).waitFor();
      await inspect(page, `unsaved-${scheme}`, found);
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.getByText('These lines of').waitFor();
      await inspect(page, `review-changes-${scheme}`, found);
      await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
      await page.getByText('It is in force now').waitFor();
      await page.goto('/recovery');
      await page.getByRole('button', { name: 'Start recovery' }).click();
      await page.getByText('This machine becomes the server').waitFor();
      await inspect(page, `start-recovery-${scheme}`, found);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await page.goto('/users');
      await page.getByRole('button', { name: 'Add a user' }).click();
      await page.getByRole('dialog').waitFor();
      await inspect(page, `add-user-${scheme}`, found);
      await page.keyboard.press('Escape');
      await page.goto('/jobs/44');
      await page.getByText('of 4.8 GB').first().waitFor();
      await inspect(page, `job-running-${scheme}`, found);
      await page.goto('/');
      await page.getByText('Needs attention').first().waitFor();
      await page.locator('.account summary').click();
      await inspect(page, `account-${scheme}`, found);
      await fetch(`${url}/dev/fail?on=1`);
      await page.getByText('The connection to the service is lost').waitFor();
      await inspect(page, `lost-${scheme}`, found);
      await fetch(`${url}/dev/fail?on=0`);
      await fetch(`${url}/dev/end-session`);
      await page.getByText('Your session has ended').waitFor({ timeout: 60_000 });
      await inspect(page, `session-ended-${scheme}`, found);
    });
    await within({}, async (page) => {
      await page.getByRole('button', { name: 'Pages' }).click();
      await page.getByRole('dialog').waitFor();
      await inspect(page, `drawer-${scheme}`, found);
    }, true, 400);
    expect(found).toEqual([]);
    expect(faults).toEqual([]);
  });
