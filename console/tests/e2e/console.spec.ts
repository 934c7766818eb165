// The main path of every page against a real service and a real sample system, in the order in which one would go. The order matters: what one
// test makes, the next one looks at. Pictures: artefacts/e2e/.
import { mkdirSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { axeViolations } from '../axe';
import { kPassword, kScratch, kUrl, kUser } from './playwright.config';

const kPictures = 'artefacts/e2e';
const kJobEnds = { timeout: 150_000 };

test.describe.configure({ mode: 'serial' });
let page: Page;
const faults: string[] = [];

test.beforeAll(async ({ browser }) => {
  mkdirSync(kPictures, { recursive: true });
  const context = await browser.newContext({ baseURL: kUrl, ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(message.text()); });
});
test.afterAll(async () => { await page.context().close(); });
test.afterEach(async () => {
  const name = test.info().title.replace(/[^a-z0-9]+/gi, '-').toLowerCase();
  await page.screenshot({ path: `${kPictures}/${name}.png`, fullPage: true });
  expect(await axeViolations(page)).toEqual([]);
  expect(faults.splice(0)).toEqual([]);
});

// The newest job, followed to its end on its own page.
async function newestJob(kind: RegExp, outcome: RegExp): Promise<void> {
  await page.goto('/jobs');
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(kind);
  await expect(page.locator('.page-head .badge')).toHaveText(outcome, kJobEnds);
}

async function newestPoint(): Promise<void> {
  await page.goto('/points');
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'Identity card' })).toBeVisible();
}

test('sign in', async () => {
  await page.goto('/points');
  await page.getByLabel('User').fill(kUser);
  await page.getByLabel('Password', { exact: true }).fill(`${kPassword}x`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('Name or password is wrong')).toBeVisible();
  await page.getByLabel('Password', { exact: true }).fill(kPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Recovery points', level: 1 })).toBeVisible();   // the deep link is kept
});

test('home: back up now, and the verdict is yes', async () => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Back up now' }).click();
  await newestJob(/Backup, job/, /^Done/);
  await page.goto('/');
  await expect(page.locator('.verdict h1')).toHaveText(/would come back now/);
  await expect(page.locator('.tile').first()).toContainText('today');
  await expect(page.locator('svg.timeline a').first()).toBeVisible();
});

test('critical data backup: switch a section on, review, save, run now, switch it off', async () => {
  await page.goto('/critical-data-backup');
  const section = page.getByRole('region', { name: 'Configuration Backup' });
  const circle = section.getByRole('switch').first();
  const wasOn = (await circle.getAttribute('aria-checked')) === 'true';
  for (const on of [!wasOn, wasOn]) {
    await circle.click();
    await expect(circle).toHaveAttribute('aria-checked', String(on));
    await page.getByRole('button', { name: 'Save changes' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText(`enabled = ${on}`);
    await dialog.getByRole('button', { name: 'Save changes' }).click();
    await expect(page.getByText('It is in force now').last()).toBeVisible();
    await page.reload();
    await expect(circle).toHaveAttribute('aria-checked', String(on));
  }
  await section.getByRole('button', { name: /Run now/ }).first().click();
  await newestJob(/Backup, job/, /^Done/);
  await page.goto('/points?origin=scheduled');
  await expect(page.getByRole('table').getByRole('row')).not.toHaveCount(1);
});

test('critical data backup: a wrong calendar is named and not saved', async () => {
  await page.goto('/critical-data-backup');
  const section = page.getByRole('region', { name: 'Configuration Backup' });
  await section.getByRole('button', { name: 'Change' }).first().click();
  await section.getByLabel('Runs').selectOption('own');
  await section.getByLabel('Expression').fill('Mon..Fry 02:30');
  await expect(section.getByText(/column/i).first()).toBeVisible();
  await section.getByLabel('Expression').fill('*:0/30');
  await expect(section.getByText(/Next runs:/)).toBeVisible();
  await page.getByRole('button', { name: 'Discard' }).click();
});

test('recovery points: pin, verify, browse, download, compare', async () => {
  await newestPoint();
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Unpin' })).toBeVisible();
  await page.getByRole('button', { name: 'Unpin' }).click();
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Verify' }).click();
  await newestJob(/Verification, job/, /^Done/);
  await newestPoint();
  await expect(page.getByText('content', { exact: true }).first()).toBeVisible();
  await page.getByRole('link', { name: 'core-settings' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: /^Download/ }).first().click();
  expect(await (await download).failure()).toBeNull();
  await page.goto('/points');
  const boxes = page.getByRole('checkbox', { name: /^Compare/ });
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByText(/Nothing changed|Before/).first()).toBeVisible();
});

test('recovery points: export as backup file', async () => {
  await newestPoint();
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('File on the server').fill(`${kScratch}/point.hfbackup`);
  await dialog.getByLabel('Password of the file').fill('a password of its own');
  await dialog.getByLabel('Password again').fill('a password of its own');
  await dialog.getByRole('button', { name: 'Export' }).click();
  await newestJob(/Export, job/, /^Done/);
});

test('wizard: back up chosen items', async () => {
  await page.goto('/back-up-or-restore');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Label').fill('by the wizard');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'None' }).click();
  await page.getByRole('checkbox', { name: /core settings/ }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByText(/Not in this backup/)).toBeVisible();
  await page.getByRole('button', { name: 'Back up' }).click();
  await expect(page.getByRole('link', { name: 'Look at the recovery point' })).toBeVisible(kJobEnds);
});

test('wizard: restore from a backup file into a folder', async () => {
  await page.goto('/back-up-or-restore');
  await page.getByRole('radio', { name: /^Restore/ }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('radio', { name: /Backup file/ }).check();
  await page.getByLabel('Backup file on the server').fill(`${kScratch}/point.hfbackup`);
  await page.getByLabel('Password of the file').fill('a wrong password');
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('Password of the file').fill('a password of its own');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'None' }).click();
  await page.getByRole('checkbox', { name: /^core-settings/ }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Folder on the server').fill(`${kScratch}/restored`);
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('table', { name: /What is restored/ })).toContainText(`${kScratch}/restored`);
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText('The files are in')).toBeVisible(kJobEnds);
});

test('installation package', async () => {
  await page.goto('/installation-package');
  await expect(page.getByRole('table', { name: /Installed products/ }).getByText('same version').first()).toBeVisible();
});

test('kit: written, and known with its age', async () => {
  await page.goto('/kit');
  await page.getByRole('button', { name: 'Write a kit' }).click();
  await page.getByRole('dialog').getByLabel('Folder on the server').fill(`${kScratch}/kit`);
  await page.getByRole('dialog').getByRole('button', { name: 'Write' }).click();
  await newestJob(/Kit, job/, /^Done/);
  await page.goto('/kit');
  await expect(page.getByText(`${kScratch}/kit`)).toBeVisible();
});

test('jobs: the log of one', async () => {
  await page.goto('/jobs?kind=backup');
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('log')).toContainText('result');
});

test('growth: plots with their numbers', async () => {
  await page.goto('/growth');
  await expect(page.locator('canvas').first()).toBeVisible();
  await page.getByText('Numbers').first().click();
  await expect(page.getByRole('table').first()).toContainText('MB');
});

test('alerts: a way to tell somebody, a test that is not lost', async () => {
  await page.goto('/alerts');
  await page.getByRole('button', { name: 'Add' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('e2e');
  await dialog.getByLabel('Address').fill('http://127.0.0.1:9/hook');   // the discard port: nobody answers
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Send a test to e2e' }).click();
  await expect(page.getByRole('table', { name: /Notifications/ })).toContainText('waiting');
  await page.getByRole('button', { name: 'Change e2e' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click();
  await expect(page.getByRole('button', { name: 'Change e2e' })).toHaveCount(0);
});

test('users and tokens', async () => {
  await page.goto('/users');
  await page.getByRole('button', { name: 'Add a user' }).click();
  let dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('e2e-viewer');
  await dialog.getByLabel('Password', { exact: true }).fill('long enough for all');
  await dialog.getByLabel('Again').fill('long enough for all');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await expect(page.getByRole('table', { name: 'Users' })).toContainText('e2e-viewer');
  await page.getByRole('button', { name: 'Change e2e-viewer' }).click();
  dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /^operator/ }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: /e2e-viewer/ })).toContainText('operator');
  await page.getByRole('button', { name: 'Remove e2e-viewer' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('table', { name: 'Users' })).not.toContainText('e2e-viewer');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByRole('dialog').getByLabel('Label').fill('e2e');
  await page.getByRole('dialog').getByRole('button', { name: 'Make' }).click();
  await expect(page.getByRole('dialog').getByText(/^holdfast_/)).toBeVisible();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByRole('button', { name: 'Remove token e2e' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
});

test('audit: what was done stands there, and the chain fits', async () => {
  await page.goto('/audit');
  await expect(page.getByRole('table')).toContainText('e2e-viewer');
  await page.getByRole('button', { name: 'Walk the chain' }).click();
  await expect(page.getByText(/^All [\d,]+ entries fit/)).toBeVisible();
});

test('a session that ends keeps the page', async () => {
  await page.goto('/points');
  await page.evaluate(async () => {
    const me = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
    await fetch('/api/v1/session', { method: 'DELETE', headers: { 'X-Holdfast-CSRF': me.csrf } });
  });
  await page.getByRole('link', { name: 'Jobs' }).first().click();
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await page.getByRole('dialog').getByLabel('Password').fill(kPassword);
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible();
  await expect(page.getByRole('table', { name: 'Jobs' })).toBeVisible();
});

for (const [width, scheme] of [[400, 'light'], [400, 'dark'], [1280, 'dark']] as const)
  test(`every page at ${width}, ${scheme}`, async () => {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme: scheme });
    for (const path of ['/', '/critical-data-backup', '/points', '/back-up-or-restore', '/recovery', '/recovery/run-book', '/installation-package', '/kit', '/jobs', '/growth', '/alerts', '/users', '/audit']) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
      await page.screenshot({ path: `${kPictures}/tour${path.replace(/\//g, '-')}-${width}-${scheme}.png`, fullPage: true });
      expect(await axeViolations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
  });

test('recovery: checks, run-book, a live run with a step for a person', async () => {
  await page.goto('/recovery/run-book');
  await expect(page.getByLabel('Run-book')).toContainText('[ ]');
  await page.goto('/recovery');
  await expect(page.getByText('A recovery could begin on this machine now')).toBeVisible();
  await page.getByRole('button', { name: 'Start recovery' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('checkbox', { name: /old server is off/ }).check();
  await dialog.getByRole('button', { name: 'Start recovery' }).click();
  await expect(page.getByRole('button', { name: 'I have done this' }).first()).toBeVisible(kJobEnds);
  await page.getByRole('button', { name: 'I have done this' }).first().click();
  await expect(page.getByText('For you')).toHaveCount(0, kJobEnds);
  await expect(page.getByRole('region', { name: 'Journal' })).toContainText('complete');
});
