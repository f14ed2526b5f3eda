// Plain values as CBOR and back. Written: canonical (maps by length of key, then its bytes; definite
// lengths, shortest integers). Read: leniently, as formats of the ecosystem want it.
//
// What is being written or read is kept in variables of this module: engines without a compiler reach
// them fastest, and every invocation comes through here.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const MAX_DEPTH = 128;

export class ValueError extends Error {}

const noForm = (path, what) => new ValueError(`${path}: ${what} has no value form`);

let out = new Uint8Array(1024);
let length = 0;

function room(n) {
  if (length + n <= out.length) return;
  const more = new Uint8Array(Math.max(out.length * 2, length + n));
  more.set(out.subarray(0, length));
  out = more;
}

function head(major, n) {
  if (length + 9 > out.length) room(9);
  if (n < 24) {
    out[length++] = (major << 5) | n;
  } else if (n < 0x100) {
    out[length++] = (major << 5) | 24;
    out[length++] = n;
  } else if (n < 0x10000) {
    out[length++] = (major << 5) | 25;
    out[length++] = n >>> 8;
    out[length++] = n;
  } else {
    const long = n >= 0x100000000;
    out[length++] = (major << 5) | (long ? 27 : 26);
    const high = Math.floor(n / 0x100000000);
    if (long) for (let i = 24; i >= 0; i -= 8) out[length++] = high >>> i;
    const low = n >>> 0;
    for (let i = 24; i >= 0; i -= 8) out[length++] = low >>> i;
  }
}

function raw(bytes) {
  room(bytes.length);
  out.set(bytes, length);
  length += bytes.length;
}

function chunk(major, bytes) {
  head(major, bytes.length);
  raw(bytes);
}

function putNumber(v, path) {
  if (Number.isSafeInteger(v) && !Object.is(v, -0)) {
    if (v >= 0) head(0, v);
    else head(1, -1 - v);
    return;
  }
  if (!Number.isFinite(v)) throw noForm(path(), String(v));
  const single = Math.fround(v) === v;
  const b = new Uint8Array(single ? 5 : 9);
  b[0] = single ? 0xfa : 0xfb;
  const view = new DataView(b.buffer);
  if (single) view.setFloat32(1, v);
  else view.setFloat64(1, v);
  raw(b);
}

function putBig(v, path) {
  const n = v >= 0n ? v : -1n - v;
  if (n >> 64n !== 0n) throw noForm(path(), "an integer of more than 64 bits");
  if (n <= BigInt(Number.MAX_SAFE_INTEGER)) return head(v >= 0n ? 0 : 1, Number(n));
  const b = new Uint8Array(9);
  b[0] = v >= 0n ? 0x1b : 0x3b;
  new DataView(b.buffer).setBigUint64(1, n);
  raw(b);
}

// path is a function, for it is only asked when something is wrong.
function put(v, path, depth) {
  switch (typeof v) {
    case "string":
      return chunk(3, encoder.encode(v));
    case "number":
      return putNumber(v, path);
    case "boolean":
      return head(7, v ? 21 : 20);
    case "undefined":
      return head(7, 22);
    case "bigint":
      return putBig(v, path);
    case "object":
      return v === null ? head(7, 22) : putObject(v, path, depth + 1);
  }
  throw noForm(path(), `a ${typeof v}`);
}

function putObject(v, path, depth) {
  if (depth > MAX_DEPTH) throw new ValueError(`${path()}: nested more than ${MAX_DEPTH} deep`);
  if (Array.isArray(v)) {
    head(4, v.length);
    for (let i = 0; i < v.length; i++) put(v[i], () => `${path()}[${i}]`, depth);
    return;
  }
  if (v instanceof Uint8Array) return chunk(2, v);
  if (typeof v.toJSON === "function") return put(v.toJSON(), path, depth);
  if (v instanceof Map) v = Object.fromEntries(v);
  else if (v instanceof Set) throw noForm(path(), "a Set");
  else if (typeof v.then === "function") throw noForm(path(), "a promise");
  const keys = [];
  for (const k of Object.keys(v)) if (v[k] !== undefined) keys.push(k);
  head(5, keys.length);
  if (keys.length > 1) keys.sort(byForm);
  for (const k of keys) {
    chunk(3, encoder.encode(k));
    put(v[k], () => `${path()}.${k}`, depth);
  }
}

const ASCII = /^[\x00-\x7f]*$/;

// The order of keys: by length in UTF-8, then by its bytes.
function byForm(a, b) {
  if (ASCII.test(a) && ASCII.test(b)) return a.length - b.length || (a < b ? -1 : 1);
  const x = encoder.encode(a);
  const y = encoder.encode(b);
  for (let i = 0; x.length === y.length && i < x.length; i++) if (x[i] !== y[i]) return x[i] - y[i];
  return x.length - y.length;
}

const root = () => "$";

/** The canonical CBOR of a plain value. Throws a ValueError with the path of what has no form. */
export function encode(v) {
  length = 0;
  put(v, root, 0);
  return out.slice(0, length);
}

/** The same where nothing else is encoded before the bytes are used: they are lent. */
export function encodeOnce(v) {
  length = 0;
  put(v, root, 0);
  return out.subarray(0, length);
}

let input;
let at = 0;

const early = () => new ValueError("the CBOR ends too early");

function take(n) {
  if (n > input.length - at) throw early();
  at += n;
  return input.subarray(at - n, at);
}

// The argument of a head: a number, a bigint past the safe integers, -1 for an indefinite length.
function argument(info) {
  if (info < 24) return info;
  if (info === 31) return -1;
  if (info > 27) throw new ValueError(`the CBOR has a head of form ${info}`);
  const bytes = take(1 << (info - 24));
  let v = 0;
  for (let i = 0; i < bytes.length; i++) v = v * 256 + bytes[i];
  if (v <= Number.MAX_SAFE_INTEGER) return v;
  let b = 0n;
  for (const x of bytes) b = (b << 8n) | BigInt(x);
  return b;
}

const byte = () => {
  if (at >= input.length) throw early();
  return input[at++];
};

// Chunks of a text or of bytes until the break.
function chunks(major) {
  const parts = [];
  for (let b = byte(); b !== 0xff; b = byte()) {
    const n = argument(b & 31);
    if (b >> 5 !== major || n < 0) throw new ValueError("the CBOR has a chunk of another kind");
    parts.push(...take(Number(n)));
  }
  return Uint8Array.from(parts);
}

function get(depth) {
  const first = byte();
  const major = first >> 5;
  if (major === 7) return simple(first & 31);
  const n = argument(first & 31);
  switch (major) {
    case 0:
      return n;
    case 1:
      return typeof n === "bigint" ? -1n - n : -1 - n;
    case 2:
      return n === -1 ? chunks(2) : take(Number(n)).slice();
    case 3:
      return decoder.decode(n === -1 ? chunks(3) : take(Number(n)));
  }
  if (depth > MAX_DEPTH) throw new ValueError(`the CBOR is nested more than ${MAX_DEPTH} deep`);
  if (major === 4) {
    const list = [];
    for (let i = 0; more(n, i); i++) list.push(get(depth + 1));
    return list;
  }
  if (major === 6) return get(depth + 1); // a tag says more about its value than we want to know
  const map = {};
  for (let i = 0; more(n, i); i++) {
    const k = get(depth + 1);
    const v = get(depth + 1);
    if (k === "__proto__") Object.defineProperty(map, k, { value: v, enumerable: true, configurable: true, writable: true });
    else map[k] = v;
  }
  return map;
}

function more(n, i) {
  if (n !== -1) return i < n;
  if (input[at] !== 0xff) return true;
  at++;
  return false;
}

function simple(info) {
  switch (info) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
    case 23:
      return null;
    case 24:
      byte();
      return null;
    case 25:
    case 26:
    case 27: {
      const view = new DataView(take(1 << (info - 24)).slice().buffer);
      return info === 27 ? view.getFloat64(0) : info === 26 ? view.getFloat32(0) : half(view.getUint16(0));
    }
  }
  throw new ValueError(`the CBOR has the simple value ${info}`);
}

function half(h) {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The plain value of CBOR. Integers past the safe ones are bigints. */
export function decode(bytes) {
  input = bytes;
  at = 0;
  const v = get(0);
  if (at !== bytes.length) throw new ValueError("the CBOR goes on after its value");
  return v;
}
