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
  // `npm run dev`: the sources as they are written, on the answers of a service that runs.
  server: { proxy: { '/api': { target: process.env['HOLDFAST_URL'] ?? 'https://127.0.0.1:8443', secure: false, changeOrigin: true } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
