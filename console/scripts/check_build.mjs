// What was built keeps the service's rules: nothing inline, nothing from other hosts, no eval. Prints how large it is.
//   node scripts/check_build.mjs
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const names = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name));
// Names of XML, not addresses that anything is fetched from; and the texts in which people are told what an address looks like.
const kHarmless = /^https?:\/\/(www\.w3\.org\/|host\/|HOST)/;
const faults = [];
let bytes = 0, packed = 0;
for (const name of names) {
  const content = readFileSync(name);
  const text = content.toString('utf8');
  bytes += content.length;
  packed += gzipSync(content).length;
  for (const [address] of text.matchAll(/\b(?:https?|wss?):\/\/[^\s"'`)<>\\]+/g)) if (!kHarmless.test(address)) faults.push(`${name}: names ${address}`);
  if (name.endsWith('.js') && /\beval\(|new Function\(/.test(text)) faults.push(`${name}: evaluates text`);
  if (name.endsWith('.css') && /url\((?!['"]?(?:\/|\.))/.test(text)) faults.push(`${name}: an address in a style`);
  if (name.endsWith('.html') && (/<script(?![^>]*\bsrc=)[^>]*>/.test(text) || /<style|\sstyle=|\son\w+=/.test(text))) faults.push(`${name}: something inline`);
}
console.log(`${names.length} files, ${bytes} bytes, ${packed} bytes gzip`);
for (const fault of faults) console.error(fault);
if (faults.length || names.length === 0) process.exit(1);
