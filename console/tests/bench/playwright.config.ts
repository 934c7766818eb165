// How soon the console is there: bench/service/console.
import { defineConfig } from '@playwright/test';
import { launch } from '../e2e/browser';

export default defineConfig({ testDir: '.', globalSetup: '../e2e/service.ts', workers: 1, timeout: 300_000, expect: { timeout: 60_000 }, reporter: 'line', outputDir: '../../artefacts/bench', use: { launchOptions: launch } });
