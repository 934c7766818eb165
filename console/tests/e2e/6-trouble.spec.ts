// What goes wrong on other days: a backup that did not run, and somebody who guesses passwords. The last of all: who guesses from this
// machine makes everybody on it wait.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { held, inspect, kJobEnds, openConsole, opened } from './console';
import { kPassword, kUser, place } from './service';

let page: Page;
test.beforeAll(async ({ browser }) => { page = await opened(browser); });
test.afterAll(async () => { await page.context().close(); });
test.afterEach(async () => { await inspect(page, test.info().title); });

// As if every schedule had been switched on two days earlier.
function switchedOnEarlier(): void {
  const file = join(place().sample, '..', 'state', 'service.sqlite');
  const { status, stderr } = spawnSync('python3', ['-c', 'import sqlite3, sys\nwith sqlite3.connect(sys.argv[1], timeout=30) as state: state.execute("UPDATE schedules SET since = since - 172800")', file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

async function saveCalendar(expression: string): Promise<void> {
  await page.goto('/critical-data-backup');
  const section = page.getByRole('region', { name: 'Configuration Backup' });
  await section.getByRole('button', { name: 'Change' }).click();
  await section.getByLabel('Runs').selectOption('own');
  await section.getByLabel('Expression').fill(expression);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('It is in force now')).toBeVisible();
}

test('overdue: a run that was due and has not started is told, and is over when it ran', async () => {
  const at = new Date(Date.now() - 3 * 3600_000);
  await saveCalendar(`${String(at.getUTCHours()).padStart(2, '0')}:${String(at.getUTCMinutes()).padStart(2, '0')} UTC`);
  const section = page.getByRole('region', { name: 'Configuration Backup' });
  await held('verify', async () => {
    await page.goto('/points');
    await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
    await page.getByRole('button', { name: 'Verify' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Verify' }).click();
  }, async () => {
    switchedOnEarlier();
    await page.goto('/critical-data-backup');
    await expect(section.getByText(/^Overdue: it was due/)).toBeVisible(kJobEnds);
    await inspect(page, 'critical-data-backup-overdue');
    await page.goto('/alerts');
    await expect(page.getByText(/overdue/i).first()).toBeVisible();
    await page.goto('/');
    await expect(page.getByText(/overdue/i).first()).toBeVisible(kJobEnds);
    await inspect(page, 'home-overdue');
  });
  await page.goto('/critical-data-backup');
  await expect(section.getByText(/^Overdue: it was due/)).toBeHidden(kJobEnds);
  await saveCalendar('*-02-29 03:30');
});

test('sign in: who guesses waits, and is told for how long', async ({ browser }) => {
  const guesser = await openConsole(browser);
  await guesser.goto('/');
  const button = guesser.getByRole('button', { name: 'Sign in' });
  await guesser.getByLabel('User').fill('guessed');
  let status = 0;
  for (let n = 0; status !== 429; n += 1) {   // after five, and earlier tests have failed to sign in, too
    expect(n).toBeLessThan(6);
    await guesser.getByLabel('Password', { exact: true }).fill(`guess ${n}`);
    const answered = guesser.waitForResponse((response) => response.request().method() === 'POST');
    await button.click();
    status = (await answered).status();
  }
  await expect(guesser.getByRole('timer')).toContainText('The next try is possible in');
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  await inspect(guesser, 'sign-in-waits');
  await expect(guesser.getByRole('timer')).toBeHidden();
  await guesser.getByLabel('User').fill(kUser);
  await guesser.getByLabel('Password', { exact: true }).fill(kPassword);
  await button.click();
  await expect(guesser.locator('.verdict h1')).toBeVisible();
  await guesser.context().close();
});
