import assert from "node:assert/strict";
import test from "node:test";
import { ValueError, decode, encode } from "../cbor.js";

const hex = (b) => Buffer.from(b).toString("hex");
const bytes = (h) => new Uint8Array(Buffer.from(h, "hex"));

// RFC 8949, appendix A, and limits.
for (const [v, h] of [
  [0, "00"], [23, "17"], [24, "1818"], [255, "18ff"], [256, "190100"], [65536, "1a00010000"], [4294967296, "1b0000000100000000"],
  [Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"], [18446744073709551615n, "1bffffffffffffffff"], [-18446744073709551616n, "3bffffffffffffffff"],
  [-1, "20"], [-100, "3863"], [1.5, "fa3fc00000"], [1.1, "fb3ff199999999999a"], [-4.1, "fbc010666666666666"], [1e300, "fb7e37e43c8800759c"],
  [false, "f4"], [true, "f5"], [null, "f6"], ["", "60"], ["ü", "62c3bc"], ["水", "63e6b0b4"], [new Uint8Array([1, 2]), "420102"],
  [[], "80"], [[1, [2, 3]], "8201820203"], [{}, "a0"], [{ b: 1, a: 2, aa: 3 }, "a36161026162016261" + "6103"],
]) test(`${typeof v === "bigint" ? v : JSON.stringify(v)} is ${h}`, () => {
  assert.equal(hex(encode(v)), h);
  assert.deepEqual(decode(bytes(h)), v);
});

test("what others write is read", () => {
  for (const [h, v] of [["f93c00", 1], ["f9c400", -4], ["f90001", 5.960464477539063e-8], ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]], ["bf6161019fffff".replace("9fff", "6162f6"), { a: 1, b: null }],
    ["7f657374726561646d696e67ff", "streaming"], ["5f42010243030405ff", new Uint8Array([1, 2, 3, 4, 5])], ["c11a514b67b0", 1363896240], ["f7", null], ["a10102", { 1: 2 }]])
    assert.deepEqual(decode(bytes(h)), v, h);
});

test("what JavaScript has besides is written, or refused by its place", () => {
  assert.equal(hex(encode({ a: undefined, b: new Date(0) })), hex(encode({ b: "1970-01-01T00:00:00.000Z" })));
  assert.equal(hex(encode(new Map([["x", 1n]]))), "a1617801");
  const circle = {};
  circle.me = circle;
  for (const [v, want] of [[{ a: [NaN] }, /^\$\.a\[0\]: NaN/], [() => 1, /a function/], [{ s: Symbol("x") }, /\$\.s: a symbol/], [1n << 70n, /more than 64 bits/], [circle, /nested more than 128/],
    [new Set([1]), /a Set/], [{ p: Promise.resolve() }, /\$\.p: a promise/]])
    assert.throws(() => encode(v), (e) => e instanceof ValueError && want.test(e.message));
});

test("what is no CBOR is refused", () => {
  for (const h of ["", "18", "61", "5b7fffffffffffffff", "9a7fffffff", "ba7fffffff", "1c", "0000", "81".repeat(200) + "00", "7f4161ff", "f8"]) assert.throws(() => decode(bytes(h)), ValueError, h);
});

test("a key named __proto__ is a key", () => {
  const v = decode(bytes("a1695f5f70726f746f5f5fa1617801"));
  assert.equal(Object.getPrototypeOf(v), Object.prototype);
  assert.deepEqual(Object.keys(v), ["__proto__"]);
});
