// Writes src/api/schema.ts from the description of the API: a type for each schema, and for each operation its method, path, right, body and answer.
//   node scripts/api_types.mjs            writes the file
//   node scripts/api_types.mjs --check    fails when the file is not what the description says now
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = new URL('../../src/service/api/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.ts', import.meta.url);

const quoted = (value) => JSON.stringify(value).replace(/^"(.*)"$/s, (_, inner) => `'${inner.replace(/\\"/g, '"').replace(/'/g, "\\'")}'`);
const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name));

function typeOf(schema, indent = '') {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if ('const' in schema) return quoted(schema.const);
  if (schema.enum) return schema.enum.map((v) => (v === null ? 'null' : quoted(v))).join(' | ');
  for (const many of ['oneOf', 'anyOf']) if (schema[many]) return schema[many].map((s) => typeOf(s, indent)).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ');
  switch (schema.type) {
    case 'string': return 'string';
    case 'integer': case 'number': return 'number';
    case 'boolean': return 'boolean';
    case 'null': return 'null';
    case 'array': {
      const item = typeOf(schema.items ?? {}, indent);
      return item.includes(' | ') && !item.startsWith('{') ? `(${item})[]` : `${item}[]`;
    }
    case 'object': return objectOf(schema, indent);
    default: return 'unknown';
  }
}

function objectOf(schema, indent) {
  const deeper = `${indent}  `;
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const about = property.description && !property.$ref ? `${deeper}/** ${property.description.replace(/\*\//g, '* /')} */\n` : '';
    return `${about}${deeper}${key(name)}${required.has(name) ? '' : '?'}: ${typeOf(property, deeper)};`;
  });
  if (typeof schema.additionalProperties === 'object') {
    if (lines.length === 0) return `Record<string, ${typeOf(schema.additionalProperties, indent)}>`;
    lines.push(`${deeper}[name: string]: unknown;`);
  }
  if (lines.length === 0) return schema.additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>';
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function answerOf(responses) {
  const [, good] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? [];
  const content = Object.entries(good?.content ?? {});
  if (content.length === 0) return 'null';
  return content[0][0] === 'application/json' ? typeOf(content[0][1].schema, '    ') : 'string';
}

function generate(description) {
  let text = '// Made by scripts/api_types.mjs from the description of the API (openapi.json). Not for editing.\n\n';
  for (const [name, schema] of Object.entries(description.components.schemas)) text += `export type ${name} = ${typeOf(schema)};\n\n`;
  const table = [];
  const types = [];
  for (const [path, methods] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(methods)) {
      if (!operation.operationId || path === '/openapi.json' || path === '/healthz') continue;
      table.push(`  ${operation.operationId}: { method: '${method.toUpperCase()}', path: '${path}', right: '${operation['x-right']}' },`);
      const body = operation.requestBody?.content?.['application/json'];
      types.push(`  ${operation.operationId}: {\n    body: ${body ? typeOf(body.schema, '    ') : 'undefined'};\n    answer: ${answerOf(operation.responses)};\n  };`);
    }
  text += `export const operations = {\n${table.join('\n')}\n} as const;\n\nexport interface Operations {\n${types.join('\n')}\n}\n`;
  return text;
}

const text = generate(JSON.parse(readFileSync(source, 'utf8')));
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(`${fileURLToPath(target)} is not what openapi.json says now: run 'npm run types'`);
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
