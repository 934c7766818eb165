// Runs the end-to-end tests against a service of their own: makes a sample system with a repository and a first point in a temporary folder,
// starts `holdfast serve` on a free port, runs Playwright, ends the service and looks how it ended.
//   node tests/e2e/with_service.mjs PROGRAM [PLAYWRIGHT ARGUMENTS...]
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [given, ...more] = process.argv.slice(2);
if (!given) {
  console.error('with_service: which program? node tests/e2e/with_service.mjs PROGRAM');
  process.exit(2);
}
const program = resolve(given);
const console_ = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
const at = (name) => join(folder, name);
const environment = { ...process.env, HOLDFAST_STATE: at('state'), HOLDFAST_CONFIG: at('sample/holdfast.toml'), HOLDFAST_PASSWORD_FILE: at('password') };

function holdfast(...args) {
  const { status, stderr, error } = spawnSync(program, args, { env: environment, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (error) throw error;
  if (status !== 0 && status !== 3) throw new Error(`holdfast ${args.join(' ')} ended with ${status}:\n${stderr}`);
}

async function serve() {
  const service = spawn(program, ['serve', '--json', '--listen', '127.0.0.1:0'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  createInterface({ input: service.stderr }).on('line', (line) => said.push(line));
  const port = await new Promise((done, failed) => {
    service.on('exit', (code) => failed(new Error(`the service ended with ${code}:\n${said.join('\n')}`)));
    createInterface({ input: service.stdout }).on('line', (line) => {
      const told = JSON.parse(line);
      if (told.type === 'result') done(told.port);
    });
  });
  return { service, said, url: `https://127.0.0.1:${port}` };
}

let status = 1;
try {
  writeFileSync(at('password'), 'a long repository password\n', { mode: 0o600 });
  writeFileSync(at('user'), 'a password of the user\n', { mode: 0o600 });
  mkdirSync(at('scratch'));
  holdfast('sample', at('sample'), '--rows', '2000');
  holdfast('init', '--yes');
  holdfast('backup', '--yes');
  holdfast('user', 'add', 'anna', '--role', 'administrator', '--new-password-file', at('user'));
  const { service, said, url } = await serve();
  const ended = new Promise((done) => { service.removeAllListeners('exit'); service.on('exit', (code, signal) => done(code ?? signal)); });
  try {
    ({ status } = spawnSync('npx', ['playwright', 'test', '--config', 'tests/e2e/playwright.config.ts', ...more], {
      cwd: console_, stdio: 'inherit', env: { ...process.env, HOLDFAST_URL: url, HOLDFAST_USER: 'anna', HOLDFAST_PASSWORD_FILE: at('user'), HOLDFAST_SCRATCH: at('scratch') },
    }));
  } finally {
    service.kill('SIGTERM');
    const code = await ended;
    if (code !== 0 && code !== 130) {
      console.error(`the service ended with ${code}`);
      status = 1;
    }
    if (status !== 0) console.error(said.slice(-40).join('\n'));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status ?? 1);
