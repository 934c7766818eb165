// Each morning: signing in, Home, Critical Data Backup, what runs now.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { held, inspect, inspectInEveryLook, kJobEnds, newestJob, openConsole, opened } from './console';
import { kPassword, kUser, place } from './service';

let page: Page;
test.beforeAll(async ({ browser }) => { page = await opened(browser); });
test.afterAll(async () => { await page.context().close(); });
test.afterEach(async () => { await inspect(page, test.info().title); });

const settingsFile = (): string => readFileSync(join(place().sample, 'holdfast.toml'), 'utf8');

test('sign in with the keyboard', async ({ browser }) => {
  const fresh = await openConsole(browser);
  await fresh.goto('/points');
  await expect(fresh.getByLabel('User')).toBeFocused();
  await inspectInEveryLook(fresh, 'page-sign-in');
  await fresh.keyboard.type(kUser);
  await fresh.keyboard.press('Tab');
  await fresh.keyboard.type(`${kPassword}x`);
  await fresh.keyboard.press('Enter');
  await expect(fresh.getByRole('alert')).toHaveText('Name or password is wrong.');
  await expect(fresh.getByLabel('Password', { exact: true })).toBeFocused();
  await inspect(fresh, 'sign-in-wrong-password');
  await fresh.keyboard.type(kPassword);   // over the wrong one, which is selected
  await fresh.keyboard.press('Enter');
  await expect(fresh.getByRole('heading', { name: 'Recovery points', level: 1 })).toBeVisible();   // the deep link is kept
  await expect(fresh.getByText('There is no recovery point yet')).toBeVisible();
  await fresh.context().close();
});

test('home before the first backup says no', async () => {
  await page.goto('/');
  await expect(page.locator('.verdict h1')).toHaveText('This server would not come back now');
  await expect(page.getByRole('table', { name: /^Items and/ }).getByText('If lost:').first()).toBeVisible();
  await inspectInEveryLook(page, 'page-home-before-the-first-backup');
});

test('home: back up now, and the verdict becomes yes by itself', async () => {
  await page.goto('/');
  const underWay = page.getByRole('region', { name: 'Under way' });
  await held('backup', () => page.getByRole('button', { name: 'Back up now' }).click(), async () => {
    await expect(underWay.getByText('Running')).toBeVisible();
    await expect(underWay.getByRole('progressbar')).toBeVisible();
    await expect(page.getByRole('link', { name: /1 job running/ })).toBeVisible();
    await inspect(page, 'home-while-a-backup-runs');
  });
  await expect(page.locator('.verdict h1')).toHaveText(/would come back now/, kJobEnds);
  await expect(underWay).toHaveCount(0);
  await expect(page.locator('.tile').first()).toContainText('today');
  await expect(page.locator('svg.timeline a')).toHaveCount(1);
  await newestJob(page, /Backup, job/);
});

test('critical data backup: settings are reviewed line by line and saved', async () => {
  await page.goto('/critical-data-backup');
  await page.getByLabel('May be lost at most (RPO)').fill('12h');
  await page.getByLabel('Days').fill('14');
  const section = page.getByRole('region', { name: 'Configuration Backup' });
  await section.getByRole('switch').click();
  await expect(section.getByRole('switch')).toHaveAttribute('aria-checked', 'true');
  await expect(section.locator('.edit time')).toHaveCount(5);   // the next five runs
  await section.getByLabel('Runs').selectOption('own');
  await section.getByLabel('Expression').fill('Mon..Fry 02:30');
  await expect(section.getByText(/column/i).first()).toBeVisible();
  await section.getByLabel('Expression').fill('*-02-29 03:30');   // does not come while the tests run
  await expect(section.locator('.edit time')).toHaveCount(5);
  await inspectInEveryLook(page, 'page-critical-data-backup-unsaved');
  await page.getByRole('button', { name: 'Save changes' }).click();
  const dialog = page.getByRole('dialog');
  for (const line of ['+ recovery_point = "12h"', '+ daily = 14', '+ calendar = "*-02-29 03:30"', '+ enabled = true']) await expect(dialog).toContainText(line);
  await inspectInEveryLook(page, 'page-review-the-changes');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('It is in force now')).toBeVisible();
  await page.reload();
  await expect(section.getByRole('switch')).toHaveAttribute('aria-checked', 'true');
  await expect(page.getByLabel('May be lost at most (RPO)')).toHaveValue('12h');
  expect(settingsFile()).toMatch(/recovery_point = "12h" +# so much may be lost at most/);
  expect(settingsFile()).toMatch(/calendar = "\*-02-29 03:30" +# as in systemd/);
});

test('critical data backup: a file that changed meanwhile is not overwritten', async () => {
  await page.goto('/critical-data-backup');
  const other = await page.context().newPage();
  await other.goto('/critical-data-backup');
  await page.getByLabel('May be lost at most (RPO)').fill('2d');
  await other.getByLabel('May be lost at most (RPO)').fill('24h');
  await other.getByRole('button', { name: 'Save changes' }).click();
  await other.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
  await expect(other.getByText('It is in force now')).toBeVisible();
  await other.close();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByRole('button', { name: 'Drop mine and show what is there now' }).click();
  await expect(page.getByLabel('May be lost at most (RPO)')).toHaveValue('24h');
  expect(settingsFile()).toContain('recovery_point = "24h"');
});

test('critical data backup: run now, and its log while it runs', async () => {
  await page.goto('/critical-data-backup');
  const section = page.getByRole('region', { name: 'Configuration Backup' });
  await held('backup', () => section.getByRole('button', { name: 'Run now: configuration' }).click(), async () => {
    await page.getByRole('link', { name: /1 job running/ }).click();
    await expect(page.locator('.page-head .badge')).toHaveText('Running');
    await expect(page.getByRole('log')).not.toContainText('result');
    await inspectInEveryLook(page, 'page-job-that-runs');
  });
  await expect(page.getByRole('log')).toContainText('result', kJobEnds);
  await expect(page.locator('.page-head .badge')).toHaveText(/^Done/);
  await page.goto('/points?origin=scheduled');
  await expect(page.getByRole('table').getByRole('row')).toHaveCount(2);
});

test('jobs: one that runs is stopped', async () => {
  await page.goto('/points');
  await held('backup', () => page.getByRole('button', { name: 'Back up now' }).click(), async () => {
    await page.goto('/jobs');
    await page.getByRole('row', { name: /Running/ }).getByRole('button', { name: 'Stop' }).click();
    await expect(page.getByRole('row', { name: /Stopping/ }).first()).toBeVisible();
  });
  await newestJob(page, /Backup, job/, /^Stopped/);
});
