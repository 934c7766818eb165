import { defineConfig } from '@playwright/test';
import { launch } from '../browser';

export default defineConfig({
  testDir: '.',
  workers: 1,
  timeout: 240_000,
  expect: { timeout: 10_000 },
  reporter: 'list',
  outputDir: '../../artefacts/look-results',
  use: { launchOptions: launch, actionTimeout: 15_000, navigationTimeout: 20_000 },
});
