// Every page in light and dark, wide and narrow; the keyboard; and what the console shows when something is wrong.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { inspect, inspectInEveryLook, newestPoint, opened } from './console';
import { place } from './service';

let page: Page;
test.beforeAll(async ({ browser }) => { page = await opened(browser); });
test.afterAll(async () => { await page.context().close(); });

const kPages = ['/', '/critical-data-backup', '/points', '/back-up-or-restore', '/back-up-or-restore?do=backup', '/back-up-or-restore?do=restore', '/recovery', '/recovery/run-book',
  '/installation-package', '/kit', '/jobs', '/growth', '/alerts', '/users', '/audit', '/there-is-no-such-page'];

for (const path of kPages)
  test(`page ${path}`, async () => {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
    await inspectInEveryLook(page, path === '/' ? 'page-home' : `page${path}`);
  });

test('pages of one point, of a comparison, of a job', async () => {
  await newestPoint(page);
  await inspectInEveryLook(page, 'page-point');
  await page.goto('/points');
  await page.getByRole('row', { name: /^(?!.*part)/ }).nth(1).getByRole('rowheader').getByRole('link').click();
  await page.getByRole('link', { name: 'software-library', exact: true }).click();
  await page.getByRole('table', { name: 'Contents of this folder' }).waitFor();
  await inspectInEveryLook(page, 'page-browse');
  await page.goto('/points');
  await page.getByRole('checkbox', { name: /^Compare/ }).first().check();
  await page.getByRole('checkbox', { name: /^Compare/ }).last().check();
  await page.getByRole('button', { name: /^Compare/ }).click();
  await page.getByText(/^Only in the (first|second) point: .*cmdb/).waitFor();   // a part of the items is not a loss of the others
  await inspectInEveryLook(page, 'page-compare');
  await page.goto('/jobs');
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('log')).toContainText('result');
  await inspectInEveryLook(page, 'page-job');
});

test('the keyboard alone', async () => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await page.goto('/points');
  const first = page.getByRole('table').getByRole('rowheader').first().getByRole('link');
  await first.focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('table').getByRole('rowheader').nth(1).getByRole('link')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(first).toBeFocused();
  await page.keyboard.press('Enter');
  const verify = page.getByRole('button', { name: 'Verify' });
  await verify.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Verify this point' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(verify).toBeFocused();
});

test('the menu on a narrow screen', async () => {
  await page.setViewportSize({ width: 400, height: 900 });
  await page.goto('/');
  await page.getByRole('button', { name: 'Pages' }).click();
  await inspect(page, 'menu-400');
  await page.getByRole('dialog').getByRole('link', { name: 'Jobs' }).click();
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.setViewportSize({ width: 1280, height: 900 });
});

test('a software library on another server is shown as not covered', async () => {
  const file = join(place().sample, 'holdfast.toml');
  const good = readFileSync(file, 'utf8');
  try {
    writeFileSync(file, good.replace(/\[item\.software-library\]\npath = .*\n/, ''));
    await page.goto('/critical-data-backup');
    const section = page.getByRole('region', { name: 'Software Library Backup' });
    await expect(async () => {   // the service looks at its file every ten seconds
      await page.reload();
      await expect(section.getByText('a library on another server is not taken by this section')).toBeVisible({ timeout: 2000 });
    }).toPass();
    await inspectInEveryLook(page, 'page-critical-data-backup-not-covered');
    await page.goto('/');
    await expect(page.getByText('not_covered').first()).toBeVisible();
    await inspectInEveryLook(page, 'page-home-not-covered');
  } finally {
    writeFileSync(file, good);
  }
});

test('a configuration with a mistake, a repository that is gone, a connection that is lost', async () => {
  const file = join(place().sample, 'holdfast.toml'), repository = join(place().sample, 'repository');
  const good = readFileSync(file, 'utf8');
  try {
    writeFileSync(file, `${good}\n[schedule.broken]\nrun = "bakcup"\n`);
    renameSync(repository, `${repository}.away`);
    await expect(async () => {
      await page.goto('/');
      await expect(page.getByText('the last good settings stay in force')).toBeVisible({ timeout: 2000 });
      await expect(page.locator('.verdict h1')).toHaveText('Whether this server would come back is not known', { timeout: 2000 });
    }).toPass();
    for (const tile of [0, 1, 3]) await expect(page.locator('.tile').nth(tile)).toContainText('not known');   // and not: nothing, everything, never
    await inspectInEveryLook(page, 'page-home-in-trouble');
  } finally {
    renameSync(`${repository}.away`, repository);
    writeFileSync(file, good);
  }
  await page.goto('/alerts');
  await expect(page.getByRole('heading', { name: 'Needs attention' }).or(page.getByText('Nothing needs attention')).first()).toBeVisible();
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'Jobs' }).first().click();
  await expect(page.getByText('The service does not answer').or(page.getByText('the service does not answer')).first()).toBeVisible();
  await inspect(page, 'page-jobs-offline');
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).first().click();
  await expect(page.getByRole('table', { name: 'Jobs' })).toBeVisible();
});
