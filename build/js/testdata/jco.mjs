// Runs a component under jco and Node: jco.mjs RUNNERS SDK COMPONENT, calls as JSON lines [operation,
// input] on standard input, answers as JSON lines on standard output. RUNNERS is the folder where
// jco is installed, SDK that of @greentic/component.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [runners, sdk, file] = process.argv.slice(2);
const at = createRequire(pathToFileURL(runners + '/package.json'));
const load = (name) => import(pathToFileURL(at.resolve(name)));
const { transpile } = await load('@bytecodealliance/jco');
const { encode, decode } = await import(pathToFileURL(sdk + '/cbor.js'));

const { files } = await transpile(readFileSync(file), { name: 'component', instantiation: 'async', typescript: false, base64Cutoff: 0 });
const cores = {};
let source;
for (const [name, bytes] of Object.entries(files)) {
  if (name.endsWith('.wasm')) cores[name] = await WebAssembly.compile(bytes);
  if (name.endsWith('.js')) source = Buffer.from(bytes);
}
const { instantiate } = await import('data:text/javascript;base64,' + source.toString('base64'));

class Refused extends Error {
  constructor(payload) {
    super('refused');
    this.payload = payload;
  }
}

const state = new Map(), lines = [];
const imports = {
  'wasi:clocks/wall-clock': { now: () => ({ seconds: 1700000000n, nanoseconds: 5000000 }) },
  'wasi:random/random': { getRandomU64: () => BigInt.asUintN(64, BigInt(Math.floor(Math.random() * 2 ** 53)) * 2049n) },
  'greentic:component/control': { shouldCancel: () => false, yieldNow() {} },
  'greentic:http/http-client': { send: (r) => ({ status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify({ saw: r.method + ' ' + r.url + ' ' + Buffer.from(r.body) })) }) },
  'greentic:secrets-store/secrets-store': { get: (key) => { if (key !== 'TOKEN') throw new Refused('denied'); return Buffer.from('t0p'); } },
  'greentic:state/state-store': {
    read: (key) => { if (!state.has(key)) throw new Refused({ code: 'not_found', message: 'nothing was written' }); return state.get(key); },
    write: (key, bytes) => { state.set(key, bytes.slice()); return 'ok'; },
    delete: (key) => { state.delete(key); return 'ok'; },
  },
  'greentic:telemetry/logger-api': { log: (_, fields) => { lines.push(Object.fromEntries(fields).message); return 'ok'; } },
  'greentic:types-core/core': {}, 'greentic:interfaces-types/types': {},
};
// What components of other languages import of the system, as jco has it for Node.
const system = {};
const kebab = (name) => name.replace(/[A-Z]/g, (c) => '-' + c.toLowerCase());
for (const [group, faces] of Object.entries(await load('@bytecodealliance/preview2-shim'))) {
  for (const [name, face] of Object.entries(faces ?? {})) system[`wasi:${kebab(group)}/${kebab(name)}`] = face;
}
for (const [name, face] of Object.entries(imports)) system[name] = { ...system[name], ...face };
const exports = await instantiate((name) => cores[name], system);
const part = (name) => exports[Object.keys(exports).find((k) => k.startsWith(`greentic:component/${name}@`))];
const ctx = { tenantId: 'acme', envId: 'dev', traceId: '', correlationId: '', deadlineMs: 2n ** 64n - 1n, attempt: 1, i18nId: 'de' };

for await (const line of createInterface({ input: process.stdin })) {
  const [op, input] = JSON.parse(line);
  let a;
  try {
    switch (op) {
      case 'describe': {
        const d = part('node').describe();
        a = { name: d.name, version: d.version, ops: d.ops.length, id: decode(part('component-descriptor').describe()).info.id, mode: decode(part('component-qa').qaSpec('setup')).mode,
          keys: part('component-i18n').i18nKeys().length };
        break;
      }
      case 'log':
        a = lines;
        break;
      default:
        a = decode(part('node').invoke(op, { ctx, flowId: 'f', stepId: 'n', componentId: 'c', attempt: 1, payloadCbor: encode(input) }).outputCbor);
    }
  } catch (e) {
    a = e.payload ? { code: e.payload.code, message: e.payload.message, retryable: e.payload.retryable, backoff: Number(e.payload.backoffMs ?? 0) } : { trap: String(e.stack) };
  }
  process.stdout.write(JSON.stringify(a) + '\n');
}
