// Package, kit, growth, alerts, users, audit; and what a session that ends and a role without rights look like.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { inspect, newestJob, openConsole, opened, signIn } from './console';
import { kPassword, place } from './service';

let page: Page;
test.beforeAll(async ({ browser }) => { page = await opened(browser); });
test.afterAll(async () => { await page.context().close(); });
test.afterEach(async () => { await inspect(page, test.info().title); });

test('installation package', async () => {
  await page.goto('/installation-package');
  await expect(page.getByText('The package installs exactly what is installed here')).toBeVisible();
  await expect(page.getByRole('table', { name: /Installed products/ }).getByText('same version')).toHaveCount(7);
});

test('a copy in another file system is added, given a schedule, and brought up to date', async () => {
  await page.goto('/critical-data-backup');
  await page.getByRole('button', { name: 'Add a copy' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('nas');
  await dialog.getByLabel('Place').fill(join(place().elsewhere, 'copy'));
  await dialog.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('button', { name: 'Make a schedule for a copy' }).click();
  await page.getByRole('switch', { name: 'Schedule copy' }).click();   // off: it must not come while the tests run
  await expect(page.getByRole('switch', { name: 'Schedule copy' })).toHaveAttribute('aria-checked', 'false');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(dialog).toContainText('[copy.nas]');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('It is in force now')).toBeVisible();
  await page.getByRole('button', { name: 'What is kept now, and why' }).click();
  await expect(dialog.getByRole('table')).toContainText('made by hand');
  await inspect(page, 'what-is-kept');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.goto('/kit');
  await page.getByRole('button', { name: 'Copy now to nas' }).click();
  await newestJob(page, /Copy, job/);
  await page.goto('/kit');
  await expect(page.getByRole('table', { name: 'Copies of the repository' })).toContainText('today');
});

test('kit: written, and known with its age', async () => {
  await page.goto('/kit');
  await page.getByRole('button', { name: 'Write a kit' }).click();
  await page.getByRole('dialog').getByLabel('Folder on the server').fill(join(place().scratch, 'kit'));
  await page.getByRole('dialog').getByRole('button', { name: 'Write' }).click();
  await newestJob(page, /Kit, job/);
  await page.goto('/kit');
  await expect(page.getByText(join(place().scratch, 'kit'))).toBeVisible();
  await expect(page.getByText('fresh', { exact: true })).toBeVisible();
  expect(readdirSync(join(place().scratch, 'kit'))).toContain('PLAN.txt');
});

test('jobs: found by kind, with their log', async () => {
  await page.goto('/jobs');
  await page.getByLabel('Kind').selectOption('export');
  await expect(page.getByRole('table').getByRole('row')).toHaveCount(3);
  await page.getByRole('table').getByRole('rowheader').first().getByRole('link').click();
  await expect(page.getByRole('log')).toContainText('result');
});

test('growth: plots with their numbers', async () => {
  await page.goto('/growth');
  await expect(page.locator('canvas')).toHaveCount(4);
  await page.getByText('Numbers').first().click();
  await expect(page.getByRole('table', { name: 'Samples of the repository' })).toContainText('MB');
});

test('alerts: somebody is told; what cannot be delivered stays until it is seen', async () => {
  const received: { path: string; body: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => { body += part; }).on('end', () => { received.push({ path: request.url ?? '', body }); response.writeHead(204).end(); });
  });
  await new Promise<void>((done) => { receiver.listen(0, '127.0.0.1', done); });
  try {
    await page.goto('/alerts');
    await page.getByRole('button', { name: 'Add' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('chat');
    await inspect(page, 'alerts-dialog');
    await dialog.getByLabel('Address').fill('http://127.0.0.1:9/hook');   // the discard port: nobody answers
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Send a test to chat' }).click();
    const sent = page.getByRole('table', { name: /Notifications/ });
    await expect(sent).toContainText('given up');
    await expect(sent).toContainText('Connection refused');
    await sent.getByRole('button', { name: /^I have seen/ }).click();
    await expect(sent.getByRole('button', { name: /^I have seen/ })).toHaveCount(0);
    await page.getByRole('button', { name: 'Change chat' }).click();
    await dialog.getByLabel('Address').fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Send a test to chat' }).click();
    await expect(sent.getByRole('row').nth(1)).toContainText('delivered');
    expect(received.map((r) => [r.path, (JSON.parse(r.body) as { event: string }).event])).toEqual([['/hook', 'test']]);
    await inspect(page, 'alerts-delivered');
    await page.getByRole('button', { name: 'Change chat' }).click();
    await dialog.getByRole('button', { name: 'Take out' }).click();
    await expect(page.getByRole('button', { name: 'Change chat' })).toHaveCount(0);
  } finally {
    receiver.close();
  }
});

test('users: add, change; a viewer sees and may not', async ({ browser }) => {
  await page.goto('/users');
  await page.getByRole('button', { name: 'Add a user' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('victor');
  await dialog.getByLabel('Password', { exact: true }).fill('short');
  await dialog.getByLabel('Again').fill('short');
  await expect(dialog.getByText(/12 characters/).last()).toBeVisible();
  await dialog.getByLabel('Password', { exact: true }).fill('long enough for all');
  await dialog.getByLabel('Again').fill('long enough for all');
  await inspect(page, 'users-dialog');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await expect(page.getByRole('row', { name: /victor/ })).toContainText('viewer');
  const viewer = await openConsole(browser);
  await signIn(viewer, 'victor', 'long enough for all');
  await viewer.goto('/critical-data-backup');
  await expect(viewer.getByText('You see the settings')).toBeVisible();
  await expect(viewer.getByRole('switch').first()).toHaveAttribute('aria-disabled', 'true');
  await inspect(viewer, 'viewer-critical-data-backup');
  await viewer.goto('/audit');
  await expect(viewer.getByText('has no right for this')).toBeVisible();
  await viewer.goto('/');
  await expect(viewer.getByRole('button', { name: /Back up now/ })).toHaveAttribute('aria-disabled', 'true');
  await viewer.context().close();
  await page.getByRole('button', { name: 'Change victor' }).click();
  await dialog.getByRole('radio', { name: /^operator/ }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: /victor/ })).toContainText('operator');
});

test('users: remove; tokens are shown once', async () => {
  await page.goto('/users');
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Remove victor' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('table', { name: 'Users' })).not.toContainText('victor');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await dialog.getByLabel('Label').fill('prometheus');
  await dialog.getByRole('button', { name: 'Make' }).click();
  const token = await dialog.getByText(/^holdfast_/).innerText();
  await inspect(page, 'users-token');
  const metrics = await page.context().request.get('/metrics', { headers: { Authorization: `Bearer ${token}` } });
  expect(await metrics.text()).toContain('holdfast_points');
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await expect(page.getByText(token)).toHaveCount(0);
  await page.getByRole('button', { name: 'Remove token prometheus' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('There is no token')).toBeVisible();
});

test('audit: what was done stands there, and the chain fits', async () => {
  await page.goto('/audit');
  await expect(page.getByRole('table')).toContainText('victor');
  await page.getByRole('button', { name: 'Walk the chain' }).click();
  await expect(page.getByText(/^All [\d,]+ entries fit/)).toBeVisible();
});

test('a session that ends keeps the page', async () => {
  await page.goto('/points');
  const other = await page.context().newPage();
  await other.goto('/');
  await other.locator('.account summary').click();
  await inspect(other, 'account');
  await other.getByRole('button', { name: 'Sign out' }).click();
  await expect(other.getByLabel('User')).toBeVisible();
  await other.close();
  await page.getByRole('link', { name: 'Jobs' }).first().click();
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await inspect(page, 'session-ended');
  await page.getByRole('dialog').getByLabel('Password').fill(kPassword);
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Jobs', level: 1 })).toBeVisible();
  await expect(page.getByRole('table', { name: 'Jobs' })).toBeVisible();
});
