import assert from "node:assert/strict";
import test from "node:test";
import { call } from "@greentic/component";
import hello from "../src/main.js";

test("greet counts", async () => {
  const state = new Map([["greeted/Ada", 1]]);
  assert.deepEqual(await call(hello, "greet", { name: "Ada" }, { state }), { text: "Hello, Ada!", times: 2 });
  await assert.rejects(call(hello, "greet", { name: "" }), { code: "invalid_input" });
});
