// The kernel: what runs before the modules of a component, between them and the glue, which is
// WebAssembly. It is the body of a function of (memory, slots, makeText, holdText, dropText, alloc,
// random, ...host), functions of the glue: memory is all of the engine's own memory, slots is where
// flat values of calls go in and out, eight bytes each. What the builder generates follows.
const u8 = new Uint8Array(memory);
const s8 = new Int8Array(memory);
const u16 = new Uint16Array(memory);
const s16 = new Int16Array(memory);
const u32 = new Uint32Array(memory);
const s32 = new Int32Array(memory);
const u64 = new BigUint64Array(memory);
const s64 = new BigInt64Array(memory);
const f32 = new Float32Array(memory);
const f64 = new Float64Array(memory);
const S = (slots - 16) >>> 2; // where slots is in u32

// The views begin at address 16, since the engine knows no buffer at 0; whatever crosses is aligned.
const BASE = 16;
const get32 = (a) => u32[(a - BASE) >>> 2];
const set32 = (a, v) => {
  u32[(a - BASE) >>> 2] = v;
};
const text = (p, n) => (n === 0 ? "" : makeText(p, n));
const str = (a) => text(get32(a), get32(a + 4));
const bytes = (a) => {
  const p = get32(a) - BASE;
  return u8.slice(p, p + get32(a + 4));
};
const lent = (a) => {
  const p = get32(a) - BASE;
  return u8.subarray(p, p + get32(a + 4));
};
const PLACE = Symbol();
const move = (to, from, n) => u8.copyWithin(to - BASE, from - BASE, from - BASE + n);

// A copy of a string as UTF-8 that lasts until the call ends.
function utf8(s) {
  const p = holdText(s);
  const n = u32[S + 64];
  const q = alloc(n);
  move(q, p, n);
  dropText(p);
  return [q, n];
}

const refuse = (want, v) => {
  throw new TypeError(`${want} expected, ${v === null ? "null" : typeof v} given`);
};

function putStr(a, b, v) {
  if (typeof v !== "string") refuse("a string", v);
  const [p, n] = utf8(v);
  set32(a, p);
  set32(b, n);
}

function putBytes(a, b, v) {
  if (!(v instanceof Uint8Array)) refuse("a Uint8Array", v);
  let p = v.byteOffset + BASE;
  if (v.buffer !== memory) {
    p = alloc(v.length);
    u8.set(v, p - BASE);
  }
  set32(a, p);
  set32(b, v.length);
}

function putList(a, b, v, size, put) {
  if (!Array.isArray(v)) refuse("an array", v);
  const p = alloc(v.length * size);
  for (let i = 0; i < v.length; i++) put(p + i * size, v[i]);
  set32(a, p);
  set32(b, v.length);
}

function getList(p, n, size, get) {
  const list = new Array(n);
  for (let i = 0; i < n; i++) list[i] = get(p + i * size);
  return list;
}

function choice(names, v) {
  const i = names.indexOf(v);
  if (i < 0) throw new TypeError(`one of ${names.join(", ")} expected, ${String(v)} given`);
  return i;
}

function unwrap(name, r) {
  if (r.tag === "ok") return r.val;
  const e = new Error(`${name}: ${r.val?.message ?? r.val?.code ?? r.val}`);
  e.payload = r.val;
  throw e;
}

function payload(e) {
  if (e !== null && typeof e === "object" && Object.hasOwn(e, "payload")) return e.payload;
  throw e;
}

globalThis.TextEncoder = class TextEncoder {
  get encoding() {
    return "utf-8";
  }
  encode(s = "") {
    const p = holdText(String(s));
    const out = u8.slice(p - BASE, p - BASE + u32[S + 64]);
    dropText(p);
    return out;
  }
};

globalThis.TextDecoder = class TextDecoder {
  constructor(label = "utf-8") {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`the encoding ${label} is not known`);
  }
  get encoding() {
    return "utf-8";
  }
  decode(v = new Uint8Array()) {
    const b = ArrayBuffer.isView(v) ? v : new Uint8Array(v);
    if (b.buffer === memory) return text(b.byteOffset + BASE, b.byteLength);
    const p = alloc(b.byteLength);
    u8.set(b instanceof Uint8Array ? b : new Uint8Array(b.buffer, b.byteOffset, b.byteLength), p - BASE);
    return text(p, b.byteLength);
  }
};

function randomFill(v) {
  const b = new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  for (let i = 0; i < b.length; i += 8) {
    random();
    for (let j = 0; j < 8 && i + j < b.length; j++) b[i + j] = u8[4 * S + j];
  }
  return v;
}

Math.random = () => {
  random();
  return ((u32[S] >>> 5) * 67108864 + (u32[S + 1] >>> 6)) / 9007199254740992;
};

globalThis.crypto = {
  getRandomValues: randomFill,
  randomUUID() {
    const b = randomFill(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64;
    b[8] = (b[8] & 63) | 128;
    const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};

const HOST = Symbol.for("greentic.host");
const missing = [];
let exported; // the namespace of the entry module
let failure;
let settled, conclude; // of a call that has not ended yet

const funcs = []; // those of exported, by number

function find(n, name, func) {
  if (failure !== undefined) throw failure;
  const f = exported?.[name]?.[func];
  if (typeof f !== "function") throw new TypeError(`the entry module exports no ${name}.${func}`);
  funcs[n] = f;
  return f;
}

// An exported function gave a promise: 0 says that it has not ended.
function wait(v, end) {
  settled = undefined;
  conclude = end;
  v.then((x) => (settled = [true, x]), (e) => (settled = [false, e]));
  return 0;
}

function finish() {
  if (settled !== undefined) return conclude(...settled);
  const e = new Error("a promise was never settled: nothing is left to run");
  return conclude(false, exported.failed?.(e) ?? e);
}

const said = (e) => ({ name: e?.name ?? "Error", message: String(e?.message ?? e), stack: String(e?.stack ?? "") });

function cstring(p) {
  let end = p - BASE;
  while (u8[end] !== 0) end++;
  return text(p, end + BASE - p);
}

function resolve(base, specifier) {
  const to = links[base]?.[specifier];
  if (to !== undefined) return to;
  if (base !== "kernel" && offered[specifier] === undefined) missing.push({ base, specifier });
  return specifier;
}

function load(name) {
  if (offered[name] === undefined) return sources[name] ?? "";
  const f = Object.keys(offered[name]);
  return `const h = globalThis[Symbol.for("greentic.host")][${JSON.stringify(name)}];\n` +
    f.map((n, i) => `const f${i} = h[${JSON.stringify(n)}]; export { f${i} as ${n} };`).join("\n");
}

// The name of an import that C may read: copied by the glue, so it may go with the call.
const lasting = (s) => holdText(s);

function begin(entry, warm) {
  Object.defineProperty(globalThis, HOST, { value: offered, configurable: true });
  import(entry).then(
    (ns) => (exported = ns),
    (e) => (failure = e ?? new Error("the entry module threw nothing")),
  ).then(() => {
    delete globalThis[HOST];
    if (failure === undefined) for (const f of warm) try { find(...f); } catch {} // what is not there is said when it is called
    if (missing.length === 0) sources = links = undefined;
  });
  return dispatch;
}
