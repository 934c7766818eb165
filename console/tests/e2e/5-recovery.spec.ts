// The worst day: the plan, the run-book, a recovery of the whole sample with a step that a person does.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { held, inspect, inspectInEveryLook, kJobEnds, opened } from './console';
import { place } from './service';

let page: Page;
test.beforeAll(async ({ browser }) => { page = await opened(browser); });
test.afterAll(async () => { await page.context().close(); });
test.afterEach(async () => { await inspect(page, test.info().title); });

const onServer = (...path: string[]): string => join(place().sample, 'server', ...path);

const setAside = (): boolean => readdirSync(onServer('Database')).some((name) => name.includes('set-aside'));

test('recovery: the run-book has boxes to tick', async () => {
  await page.goto('/recovery');
  await expect(page.getByText('A recovery could begin on this machine now')).toBeVisible();
  await page.getByRole('link', { name: 'Run-book' }).click();
  await expect(page.getByLabel('Run-book')).toContainText('[ ]');
  await page.emulateMedia({ media: 'print' });
  await inspect(page, 'run-book-printed');
  await page.emulateMedia({ media: 'screen' });
});

test('recovery: a live run that is stopped, goes on, and comes to the step that is left to a person', async () => {
  rmSync(onServer('SoftwareLibrary'), { recursive: true });
  await page.goto('/recovery');
  await page.getByRole('button', { name: 'Start recovery' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: 'Start recovery' })).toHaveAttribute('aria-disabled', 'true');
  await dialog.getByRole('checkbox', { name: /old server is off/ }).check();
  await inspectInEveryLook(page, 'page-start-recovery');
  await held('recover', () => dialog.getByRole('button', { name: 'Start recovery' }).click(), async () => {
    await expect(page.getByText('Under way')).toBeVisible();
    await inspectInEveryLook(page, 'page-recovery-that-runs');
    await page.getByRole('button', { name: 'Stop' }).click();
  }, setAside);
  await expect(page.getByRole('region', { name: /^Recovery, job/ })).toContainText('Stopped', kJobEnds);
  await inspect(page, 'recovery-that-was-stopped');
  await page.getByRole('button', { name: 'Go on with it' }).click();
  await expect(page.getByRole('button', { name: 'I have done this' }).first()).toBeVisible(kJobEnds);
  await inspectInEveryLook(page, 'page-recovery-waits-for-a-person');
  expect(readdirSync(onServer('SoftwareLibrary')).length).toBeGreaterThan(10);
  expect(setAside()).toBe(true);
});

test('recovery: the step is acknowledged, and the recovery goes on to its end', async () => {
  await page.goto('/recovery');
  await page.getByRole('button', { name: 'I have done this' }).first().click();
  await expect(page.getByText('For you')).toHaveCount(0, kJobEnds);
  const journal = page.getByRole('region', { name: 'Journal' });
  await expect(journal).toContainText('complete');
  await journal.getByText('complete').first().click();
  await expect(journal.getByRole('table').first()).toContainText('cancel-tasks');
  await inspectInEveryLook(page, 'page-recovery-complete');
  await page.goto('/');
  await expect(page.locator('.tile').nth(2)).toContainText('measured by a recovery');
});
