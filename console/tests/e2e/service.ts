// A `holdfast serve` of the tests' own, with a sample Notification Server behind it, in a temporary folder: made before the first test, ended
// after the last one. HOLDFAST names the program.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const kUser = 'anna';
export const kPassword = 'a password of the user';
export const kRepositoryPassword = 'a long repository password';

// What the tests, which run in other processes, know of the service.
export interface Place { url: string; pid: number; sample: string; scratch: string; elsewhere: string }
export const place = (): Place => JSON.parse(process.env['HOLDFAST_E2E_PLACE'] ?? '') as Place;

const program = resolve(process.env['HOLDFAST'] ?? '../build/holdfast');

export default async function makeService(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  const at = (name: string): string => join(folder, name);
  const environment = { ...process.env, HOLDFAST_STATE: at('state'), HOLDFAST_CONFIG: at('sample/holdfast.toml') };
  const holdfast = (...args: string[]): void => {
    const { status, stderr, error } = spawnSync(program, args, { env: environment, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
    if (error) throw error;
    if (status !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${status}:\n${stderr}`);
  };
  const password = (name: string, text: string): string => { writeFileSync(at(name), `${text}\n`, { mode: 0o600 }); return at(name); };
  const repository = ['--password-file', password('password', kRepositoryPassword)];
  mkdirSync(at('scratch'));
  const elsewhere = mkdtempSync('/dev/shm/holdfast-e2e-');   // in another file system
  holdfast('sample', at('sample'), '--rows', '2000');
  holdfast('init', '--yes', ...repository);
  holdfast('key', 'add', '--machine', at('machine.key'), '--yes', ...repository);
  holdfast('user', 'add', kUser, '--role', 'administrator', '--new-password-file', password('user', kPassword));
  // It ends with this process, however this process ends.
  const service = spawn('setpriv', ['--pdeathsig', 'TERM', program, 'serve', '--json', '--listen', '127.0.0.1:0', '--key-file', at('machine.key')], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  createInterface({ input: service.stderr }).on('line', (line) => said.push(line));
  const ended = new Promise<number | string>((done) => { service.on('error', (error) => { said.push(String(error)); done('not started'); }).on('exit', (code, signal) => done(code ?? signal ?? 'unknown')); });
  const started = new Promise<number>((done) => {
    createInterface({ input: service.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as { type: string; port: number };
      if (told.type === 'result') done(told.port);
    });
  });
  const port = await Promise.race([started, ended.then((code) => { throw new Error(`the service ended with ${code}:\n${said.join('\n')}`); })]);
  if (await text(`https://127.0.0.1:${port}/`) !== readFileSync('dist/index.html', 'utf8')) throw new Error('the program holds another console than dist/: build both again (scripts/build)');
  process.env['HOLDFAST_E2E_PLACE'] = JSON.stringify({ url: `https://127.0.0.1:${port}`, pid: service.pid, sample: at('sample'), scratch: at('scratch'), elsewhere });
  return async () => {
    service.kill('SIGTERM');
    const code = await ended;
    for (const made of [folder, elsewhere]) rmSync(made, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the service ended with ${code}:\n${said.slice(-40).join('\n')}`);
  };
}

function text(url: string): Promise<string> {
  return new Promise((done, failed) => {
    get(url, { rejectUnauthorized: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => { body += part; }).on('end', () => done(body));
    }).on('error', failed);
  });
}
