// The console on a development API: `npm run dev`, then sign in as anybody with "correct horse battery".
//   node dev/server.mjs [--port N] [--built] [--role viewer|operator|recovery|administrator] [--state normal|empty|trouble]
// --built serves dist/ with the headers of the service (no inline script or style) instead of Vite's live sources.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeApi } from './api.mjs';

const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const kHeaders = {
  'Content-Security-Policy': "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
};

// Starts a server on 127.0.0.1; `port` 0 takes a free one. Returns its address and how to end it.
export async function serve({ port = 0, built = false, ...api } = {}) {
  const answer = makeApi(api);
  const dist = fileURLToPath(new URL('../dist', import.meta.url));
  const vite = built ? null : await (await import('vite')).createServer({ root: fileURLToPath(new URL('..', import.meta.url)), server: { middlewareMode: true, hmr: { port: 24679 } }, appType: 'spa' });
  async function file(request, response) {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const read = (name) => readFile(join(dist, name)).then((bytes) => ({ bytes, name }));
    const { bytes, name } = await (path === '/' ? read('index.html') : read(path).catch(() => read('index.html')));
    response.writeHead(200, { 'Content-Type': kTypes[extname(name)] ?? 'application/octet-stream', ...kHeaders });
    response.end(bytes);
  }
  const server = createServer((request, response) => {
    const failed = (error) => { response.writeHead(500); response.end(String(error)); };
    if (request.url.startsWith('/api/') || request.url.startsWith('/dev/end-session') || request.url.startsWith('/dev/fail')) answer(request, response).catch(failed);
    else if (vite) vite.middlewares(request, response);
    else file(request, response).catch(failed);
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: async () => { server.closeAllConnections(); server.close(); await vite?.close(); } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, other) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? other : process.argv[at + 1]; };
  const { url } = await serve({ port: Number(option('port', 5173)), built: process.argv.includes('--built'), role: option('role', 'administrator'), state: option('state', 'normal') });
  console.log(url);
}
