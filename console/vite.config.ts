import { defineConfig } from 'vite';

// The server allows no inline script, style or data URL (Content-Security-Policy: default-src 'self'), so nothing is inlined
// and no polyfill is put into the page. What is built is embedded in the program: names with hashes, cached for ever.
export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    reportCompressedSize: true,
    sourcemap: false,
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
