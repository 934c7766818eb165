// The console against a running service: `npm run e2e`, with
//   HOLDFAST_URL             https://127.0.0.1:8443, of `holdfast serve` with a sample system that has a repository
//   HOLDFAST_USER            an administrator; HOLDFAST_PASSWORD_FILE: a file whose first line is the password
//   HOLDFAST_SCRATCH         an empty folder that the service may write to (exports, kit, restored files)
// The sample system is changed: points are made, and at the end it is recovered in place.
import { readFileSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import { launch } from '../browser';

const wanted = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: tests/e2e/playwright.config.ts says what it is`);
  return value;
};

export const kUrl = wanted('HOLDFAST_URL');
export const kUser = wanted('HOLDFAST_USER');
export const kPassword = readFileSync(wanted('HOLDFAST_PASSWORD_FILE'), 'utf8').split('\n')[0] ?? '';
export const kScratch = wanted('HOLDFAST_SCRATCH');

export default defineConfig({
  testDir: '.',
  workers: 1,
  fullyParallel: false,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  outputDir: '../../artefacts/e2e-results',
  use: { launchOptions: launch },
});
