// Recovery points: browse, download, compare, pin, verify, export; and the wizard that backs up and restores.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { inspect, kJobEnds, newestJob, newestPoint, opened } from './console';
import { place } from './service';

let page: Page;
test.beforeAll(async ({ browser }) => { page = await opened(browser); });
test.afterAll(async () => { await page.context().close(); });
test.afterEach(async () => { await inspect(page, test.info().title); });

const kFilePassword = 'a password of its own';
const kOddName = 'Übersicht 100% "neu" #1?.txt';
const onServer = (...path: string[]): string => join(place().sample, 'server', ...path);
const settingsOfServer = (): string => onServer('ProgramData/Symantec/SMP/Settings/CoreSettings.config');

test('browse a point and download one file', async () => {
  mkdirSync(onServer('SoftwareLibrary', 'new package'));
  writeFileSync(onServer('SoftwareLibrary', 'new package', kOddName), 'what is downloaded\n'.repeat(10_000));
  await page.goto('/points');
  await page.getByRole('button', { name: 'Back up now' }).click();
  await newestJob(page, /Backup, job/);
  await newestPoint(page);
  await expect(page.getByText(/^holdfast \d+\.\d+/)).toBeVisible();   // which program made it
  await page.getByRole('link', { name: 'software-library', exact: true }).click();
  await page.getByRole('link', { name: 'new package' }).click();
  await expect(page.getByRole('heading', { name: 'new package', level: 1 })).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: `Download ${kOddName}` }).click();
  const path = await (await download).path();
  expect(readFileSync(path).equals(readFileSync(onServer('SoftwareLibrary', 'new package', kOddName)))).toBe(true);
});

test('compare two points', async () => {
  await page.goto('/points');
  await expect(page.getByRole('button', { name: /^Compare/ })).toHaveAttribute('aria-disabled', 'true');
  const boxes = page.getByRole('checkbox', { name: /^Compare/ });
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await page.getByRole('button', { name: /^Compare/ }).click();
  await expect(page.getByRole('table', { name: 'Changes of software-library' }).getByRole('row', { name: /added new package/ }).first()).toBeVisible();
});

test('pin, in the list and on the page of a point', async () => {
  await page.goto('/points');
  await page.getByRole('button', { name: /^Pin / }).first().click();
  await expect(page.getByRole('button', { name: /^Pinned: unpin/ })).toBeVisible();
  await newestPoint(page);
  await expect(page.getByText('Pinned', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Unpin' }).click();
  await expect(page.getByRole('button', { name: 'Pin', exact: true })).toBeVisible();
});

test('verify, up to a measured time of coming back', async () => {
  await newestPoint(page);
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('dialog').getByRole('radio', { name: /^restore/ }).check();
  await page.getByRole('dialog').getByRole('button', { name: 'Verify' }).click();
  await newestJob(page, /Verification, job/);
  await page.goto('/points');
  await expect(page.getByRole('row').nth(1)).toContainText('restore');
  await page.goto('/');
  await expect(page.locator('.tile').nth(2)).toContainText('measured by a verification');
  await expect(page.locator('.tile').nth(3)).toContainText('everything was restored and checked');
});

test('export a point as backup file', async () => {
  await newestPoint(page);
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('File on the server').fill(join(place().scratch, 'point.hfbackup'));
  await dialog.getByLabel('Password of the file').fill(kFilePassword);
  await dialog.getByLabel('Password again').fill(`${kFilePassword}x`);
  await expect(dialog.getByText('The two are not the same')).toBeVisible();
  await dialog.getByLabel('Password again').fill(kFilePassword);
  await inspect(page, 'export-dialog');
  await dialog.getByRole('button', { name: 'Export' }).click();
  await newestJob(page, /Export, job/);
  expect(readFileSync(join(place().scratch, 'point.hfbackup')).length).toBeGreaterThan(100_000);
});

test('wizard: back up chosen items, and a backup file with them', async () => {
  await page.goto('/back-up-or-restore');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Label').fill('by the wizard');
  await page.getByRole('checkbox', { name: /one backup file/ }).check();
  await page.getByLabel('File on the server').fill(join(place().scratch, 'wizard.hfbackup'));
  await page.getByLabel('Password of the file').fill(kFilePassword);
  await page.getByLabel('Password again').fill(kFilePassword);
  await inspect(page, 'wizard-where');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'None' }).click();
  await expect(page.getByRole('button', { name: 'Next' })).toHaveAttribute('aria-disabled', 'true');
  await page.getByRole('checkbox', { name: /core settings/ }).check();
  await inspect(page, 'wizard-items');
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByText(/Not in this backup/)).toBeVisible();
  await inspect(page, 'wizard-review');
  await page.getByRole('button', { name: 'Back up' }).click();
  await expect(page.getByRole('link', { name: 'Look at the recovery point' })).toBeVisible(kJobEnds);
  await expect(page.getByText('wizard.hfbackup').last()).toBeVisible();
  await expect(page.getByText(/^Done/).filter({ visible: true })).toHaveCount(4, kJobEnds);   // badge and result of both jobs
});

test('wizard: restore from a backup file into a folder', async () => {
  await page.goto('/back-up-or-restore');
  await page.getByRole('radio', { name: /^Restore/ }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('radio', { name: /Backup file/ }).check();
  await page.getByLabel('Backup file on the server').fill(join(place().scratch, 'wizard.hfbackup'));
  await page.getByLabel('Password of the file').fill('a wrong password');
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await inspect(page, 'wizard-restore-wrong-password');
  await page.getByLabel('Password of the file').fill(kFilePassword);
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('checkbox')).toHaveCount(1);   // the file holds what the wizard put into it
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Folder on the server').fill(join(place().scratch, 'restored'));
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('table', { name: /What is restored/ })).toContainText(join(place().scratch, 'restored'));
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText('The files are in')).toBeVisible(kJobEnds);
});

test('wizard: restore from a recovery point to where it was', async () => {
  const before = readFileSync(settingsOfServer());
  writeFileSync(settingsOfServer(), 'somebody broke this');
  await page.goto('/back-up-or-restore?do=restore');
  await expect(page.getByLabel('Recovery point', { exact: true }).last()).toHaveValue(/^[0-9a-f]{64}$/);
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'None' }).click();
  await page.getByRole('checkbox', { name: /^core-settings/ }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('radio', { name: /To where they were/ }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('table', { name: /What is restored/ })).toContainText('replaced');
  await inspect(page, 'wizard-restore-review');
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText(/^Done/).first()).toBeVisible(kJobEnds);
  expect(readFileSync(settingsOfServer()).equals(before)).toBe(true);
});
