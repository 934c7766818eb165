// The main path of every page in Chromium, against `holdfast serve` and a sample system: `HOLDFAST=PROGRAM npm run e2e`. The files follow each
// other: what one makes, the next ones look at, and the last one recovers the whole sample. Pictures: HOLDFAST_PICTURES, else artefacts/.
import { defineConfig } from '@playwright/test';
import { launch } from './browser';
import { kPictures } from './console';

export default defineConfig({
  testDir: '.',
  globalSetup: './service.ts',
  workers: 1,
  fullyParallel: false,
  maxFailures: 5,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  outputDir: `${kPictures}/failed`,
  use: { launchOptions: launch, actionTimeout: 20_000, navigationTimeout: 30_000 },
});
