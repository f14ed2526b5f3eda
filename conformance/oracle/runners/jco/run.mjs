// Runs worlds of the oracle under jco: one JSON world per input line, one JSON answer per output
// line: {"outcomes": […]} or {"refused": "why"}. Values have the form doc.go describes.
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';

const camel = (s) => s.replace(/-([a-z0-9])/g, (_, c) => c.toUpperCase());
const pascal = (s) => camel('-' + s);
const view = new DataView(new ArrayBuffer(8));
const numbers = { u8: Uint8Array, s8: Int8Array, u16: Uint16Array, s16: Int16Array, u32: Uint32Array, s32: Int32Array,
  u64: BigUint64Array, s64: BigInt64Array, f32: Float32Array, f64: Float64Array };

// An option is undefined or its value, unless the value may be undefined itself.
const boxed = (t) => t.elem.kind === 'option';

function toHost(t, v, world) {
  const sub = (t, v) => (t ? toHost(t, v, world) : undefined);
  switch (t.kind) {
    case 's64': case 'u64': return BigInt(v);
    case 'f32': if (v === 'nan') return NaN; view.setUint32(0, parseInt(v, 16)); return view.getFloat32(0);
    case 'f64': if (v === 'nan') return NaN; view.setBigUint64(0, BigInt('0x' + v)); return view.getFloat64(0);
    case 'char': return String.fromCodePoint(v);
    case 'list': {
      const l = v.map((e) => sub(t.elem, e));
      return numbers[t.elem.kind] ? numbers[t.elem.kind].from(l) : l;
    }
    case 'tuple': return v.map((e, i) => sub(t.types[i], e));
    case 'record': return Object.fromEntries(v.map((e, i) => [camel(t.names[i]), sub(t.types[i], e)]));
    case 'flags': return Object.fromEntries(v.map((n) => [camel(n), true]));
    case 'option':
      if (v === null) return boxed(t) ? { tag: 'none' } : undefined;
      return boxed(t) ? { tag: 'some', val: sub(t.elem, v.some) } : sub(t.elem, v.some);
    case 'result': return 'ok' in v ? { tag: 'ok', val: sub(t.elem, v.ok) } : { tag: 'err', val: sub(t.err, v.error) };
    case 'variant': {
      const [name, payload] = Object.entries(v)[0];
      return { tag: name, val: sub(t.types[t.names.indexOf(name)], payload) };
    }
    case 'own': case 'borrow': return world.resource(t.elem.name, v[t.kind]);
  }
  return v;
}

function fromHost(t, v) {
  const sub = (t, v) => (t ? fromHost(t, v) : null);
  switch (t.kind) {
    case 's64': case 'u64': return String(v);
    case 'f32': if (v !== v) return 'nan'; view.setFloat32(0, v); return view.getUint32(0).toString(16).padStart(8, '0');
    case 'f64': if (v !== v) return 'nan'; view.setFloat64(0, v); return view.getBigUint64(0).toString(16).padStart(16, '0');
    case 'char': return v.codePointAt(0);
    case 'list': return Array.from(v, (e) => sub(t.elem, e));
    case 'tuple': return v.map((e, i) => sub(t.types[i], e));
    case 'record': return t.names.map((n, i) => sub(t.types[i], v[camel(n)]));
    case 'flags': return t.names.filter((n) => v[camel(n)]);
    case 'option':
      if (boxed(t)) return v.tag === 'none' ? null : { some: sub(t.elem, v.val) };
      return v === undefined ? null : { some: sub(t.elem, v) };
    case 'result': return v.tag === 'ok' ? { ok: sub(t.elem, v.val) } : { error: sub(t.err, v.val) };
    case 'variant': return { [v.tag]: sub(t.types[t.names.indexOf(v.tag)], v.val) };
    case 'own': case 'borrow': return { [t.kind]: v.rep ?? null };
  }
  return v;
}

// Thrown is how a host function gives an error to a result: jco wants it thrown with a payload.
class Thrown extends Error {
  constructor(payload) { super('error'); this.payload = payload; }
}

// The result of a function is not an object: ok is returned and error is thrown.
function answer(t, v, world) {
  if (!t) return undefined;
  const x = toHost(t, v, world);
  if (t.kind !== 'result') return x;
  if (x.tag === 'err') throw new Thrown(x.val);
  return x.val;
}

function imports(world, state) {
  const out = {}, classes = {};
  const drop = Symbol.dispose ?? Symbol.for('dispose');
  const iface = (n) => (out[n] ??= {});
  for (const name of world.resources ?? []) {
    classes[name] = class {
      constructor(...args) { this.rep = state.made ?? state.construct(name, args); state.made = undefined; }
      [drop]() { state.seen('[drop]' + name, [this.rep]); }
    };
    iface(world.home)[pascal(name)] = classes[name];
  }
  world.resource = (name, rep) => { state.made = rep; return new classes[name](); };
  for (const imp of world.imports) {
    const full = imp.interface ? imp.interface + '#' + imp.name : imp.name;
    const params = imp.type.params ?? [];
    const f = (...args) => answer(imp.type.result, state.seen(full, params.map((t, i) => fromHost(t, args[i]))), world);
    const [, kind, path] = /^(?:\[(\w+)\])?(.*)$/.exec(imp.name);
    const [resource, member] = path.split('.');
    if (kind === 'constructor') {
      state.construct = (_, args) => state.seen(full, params.map((t, i) => fromHost(t, args[i]))).own;
    } else if (kind === 'method') {
      classes[resource].prototype[camel(member)] = function (...args) { return f(this, ...args); };
    } else if (kind === 'static') {
      classes[resource][camel(member)] = f;
    } else if (imp.interface) {
      iface(imp.interface)[camel(imp.name)] = f;
    } else {
      out[imp.name] = { default: f };
    }
  }
  for (const name of ['oracle:host/api', 'oracle:host/types']) iface(name);
  return out;
}

function newState(c) {
  const answered = {};
  return {
    calls: [],
    seen(name, args) {
      this.calls.push({ name, args });
      const answers = c.answers?.[name];
      if (!answers?.length) return null;
      answered[name] = (answered[name] ?? 0) + 1;
      return answers[(answered[name] - 1) % answers.length];
    },
  };
}

async function run(world, instantiate, cores, c) {
  const state = newState(c), o = {};
  const offered = imports(world, state);
  let f, args;
  try {
    const exports = await instantiate((name) => cores[name], offered);
    f = c.interface ? exports[c.interface][camel(c.func)] : exports[camel(c.func)];
    args = (c.type.params ?? []).map((t, i) => toHost(t, c.args[i], world));
  } catch (e) {
    return { fault: String(e.stack).slice(0, 300), calls: state.calls };
  }
  const t = c.type.result;
  try {
    const v = f(...args);
    if (t) o.result = t.kind === 'result' ? { ok: t.elem ? fromHost(t.elem, v) : null } : fromHost(t, v);
  } catch (e) {
    if (t?.kind === 'result' && e?.constructor?.name === 'ComponentError') {
      o.result = { error: t.err ? fromHost(t.err, e.payload) : null };
    } else {
      o.trap = true;
      o.reason = String(e.stack ?? e).slice(0, 300);
    }
  }
  while (state.calls.at(-1)?.name.startsWith('[drop]')) state.calls.pop();
  return { ...o, calls: state.calls };
}

// The transpiler runs in a thread of its own: after a panic it is of no further use.
let worker, complaint = '';

function transpile(code) {
  if (!worker) {
    worker = new Worker(new URL('transpile.mjs', import.meta.url), { stderr: true });
    worker.stderr.on('data', (text) => { complaint += text; });
  }
  complaint = '';
  return new Promise((resolve, reject) => {
    worker.once('message', async ({ files, refused }) => {
      if (files) return resolve(files);
      await worker.terminate();
      worker = undefined;
      reject(new Error(complaint + refused));
    });
    worker.postMessage(code);
  });
}

async function answerTo(world) {
  const files = await transpile(Buffer.from(world.component, 'base64'));
  const cores = {};
  let source;
  for (const [name, bytes] of Object.entries(files)) {
    if (name.endsWith('.wasm')) cores[name] = await WebAssembly.compile(bytes);
    if (name.endsWith('.js')) source = Buffer.from(bytes);
  }
  const { instantiate } = await import('data:text/javascript;base64,' + source.toString('base64'));
  const outcomes = [];
  for (const c of world.cases) outcomes.push(await run(world, instantiate, cores, c));
  return { outcomes };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let a;
  try {
    a = await answerTo(JSON.parse(line));
  } catch (e) {
    a = { refused: String(e.stack ?? e).slice(0, 1000) };
  }
  process.stdout.write(JSON.stringify(a) + '\n');
}
await worker?.terminate();
