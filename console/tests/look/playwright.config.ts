import { defineConfig } from '@playwright/test';
import { launch } from '../browser';

export default defineConfig({
  testDir: '.',
  workers: 1,
  timeout: 240_000,
  reporter: 'list',
  outputDir: '../../artefacts/look-results',
  use: { launchOptions: launch },
});
