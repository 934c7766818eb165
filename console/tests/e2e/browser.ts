// Debian's Chromium, found where it is installed: the package brings no browser of its own.
import { existsSync } from 'node:fs';
import type { LaunchOptions } from '@playwright/test';

const path = process.env['HOLDFAST_CHROMIUM'] ?? '/usr/bin/chromium';
if (!existsSync(path)) throw new Error(`no Chromium at ${path}: install it, or name another with HOLDFAST_CHROMIUM`);

export const launch: LaunchOptions = { executablePath: path, args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'] };
