import assert from "node:assert/strict";
import test from "node:test";
import { Failure, call, component, fail, op, retry, s } from "../index.js";
import { decode } from "../cbor.js";
import { guest, inspect } from "../guest.js";

const hello = component({
  name: "acme.hello",
  version: "0.1.0",
  summary: "Greets",
  config: s.object({ greeting: s.string({ default: "Hello", description: "the first word" }), loud: s.optional(s.boolean()) }),
  secrets: ["TOKEN"],
  uses: ["http", "state", "log"],
  texts: { bye: "Goodbye" },
  operations: {
    greet: op({
      summary: "greets somebody",
      input: s.object({ name: s.string({ minLength: 1 }), times: s.integer({ default: 1, maximum: 3 }) }),
      output: s.object({ text: s.string() }),
      run: (ctx, { name, times }) => ({ text: Array(times).fill(`${ctx.config.greeting}, ${name}`).join("; ") }),
    }),
    count: op({
      async run(ctx) {
        const n = (ctx.state.get("n") ?? 0) + 1;
        ctx.state.set("n", n);
        ctx.log("counted", { n });
        return { n, who: ctx.tenant.id };
      },
    }),
    fetch: op({ run: (ctx) => ctx.http.postJSON("https://api.example/x", { token: ctx.secret("TOKEN") }) }),
    other: op({ run: (ctx) => ctx.secret("OTHER") }),
    stop: op({ run: (ctx) => ctx.cancelled() }),
    wrong: op({ output: s.object({ text: s.string() }), run: () => ({ text: 1 }) }),
    strange: op({ run: () => ({ f() {} }) }),
    throws: op({ run: (_, { what }) => { throw what === "failure" ? retry("busy", "later", 250) : what === "text" ? "text" : new TypeError("x is not y"); } }),
  },
});

const failing = (promise, code, message) =>
  assert.rejects(promise, (e) => {
    assert.ok(e instanceof Failure, String(e));
    assert.equal(e.code, code);
    assert.match(e.message, message);
    return true;
  });

test("an operation gets its input with defaults, and its configuration", async () => {
  assert.deepEqual(await call(hello, "greet", { name: "Ada", times: 2 }), { text: "Hello, Ada; Hello, Ada" });
  assert.deepEqual(await call(hello, "greet", { name: "Ada" }, { config: { greeting: "Hi" } }), { text: "Hi, Ada" });
});

test("an input that does not fit never reaches the operation", async () => {
  await failing(call(hello, "greet", {}), "invalid_input", /^\$\.name: is missing$/);
  await failing(call(hello, "greet", { name: 1 }), "invalid_input", /^\$\.name: want string, got number$/);
  await failing(call(hello, "greet", { name: "", times: 1 }), "invalid_input", /at least 1 characters/);
  await failing(call(hello, "greet", { name: "x", times: 9 }), "invalid_input", /^\$\.times: want at most 3, got 9$/);
  await failing(call(hello, "greet", [1]), "invalid_input", /want object, got array/);
  await failing(call(hello, "nope"), "not_found", /only greet, count/);
  await failing(call(hello, "greet", { name: "x" }, { config: { greeting: 5 } }), "invalid_config", /^\$\.config\.greeting/);
});

test("an answer that does not fit never reaches the host", async () => {
  await failing(call(hello, "wrong"), "invalid_output", /\$\.text: want string, got number/);
  await failing(call(hello, "strange"), "invalid_output", /\$\.f: a function has no value form/);
});

test("state, log and tenant", async () => {
  const state = new Map();
  const lines = [];
  await call(hello, "count", {}, { state });
  assert.deepEqual(await call(hello, "count", {}, { state, log: (l) => lines.push(l), tenant: { id: "acme" } }), { n: 2, who: "acme" });
  assert.deepEqual(lines, [{ message: "counted", n: "2" }]);
});

test("http and secrets", async () => {
  const secrets = { TOKEN: "t0p" };
  const sent = [];
  const http = (r) => (sent.push([r.method, r.url, new TextDecoder().decode(r.body)]), { body: { ok: 1 } });
  assert.deepEqual(await call(hello, "fetch", {}, { secrets, http }), { ok: 1 });
  assert.deepEqual(sent, [["POST", "https://api.example/x", '{"token":"t0p"}']]);
  await assert.rejects(call(hello, "fetch", {}, { secrets, http: () => ({ status: 429, headers: { "Retry-After": "2" } }) }), { code: "http_429", retryable: true, backoffMs: 2000 });
  await failing(call(hello, "fetch", {}, { secrets, http: () => ({ body: "no json" }) }), "http_invalid", /is no JSON/);
  await failing(call(hello, "fetch", {}, { secrets }), "http_denied", /POST https/);
  await failing(call(hello, "fetch", {}, {}), "secret_not_found", /TOKEN/);
  await failing(call(hello, "other", {}, {}), "secret_denied", /component\(\{ secrets \}\)/);
  await failing(call(hello, "stop"), "not_declared", /uses: \["cancel"\]/);
});

test("whatever is thrown has a code", async () => {
  await assert.rejects(call(hello, "throws", { what: "failure" }), { code: "busy", message: "later", retryable: true, backoffMs: 250 });
  await failing(call(hello, "throws", { what: "text" }), "exception", /thrown: text/);
  await failing(call(hello, "throws", {}), "exception", /^TypeError: x is not y \(.*component\.test\.js:\d+:\d+\)$/);
});

test("the node interface gives and throws records", () => {
  const { node } = guest(hello, {});
  const envelope = (payload) => ({ ctx: { deadlineMs: 2n ** 64n - 1n }, flowId: "f", stepId: "n", componentId: "c", attempt: 1, payloadCbor: payload });
  const ok = node.invoke("greet", envelope(Uint8Array.of(0xa1, 0x64, ...new TextEncoder().encode("name"), 0x61, 0x41)));
  assert.equal(ok.ok, true);
  assert.deepEqual(decode(ok.outputCbor), { text: "Hello, A" });
  assert.throws(() => node.invoke("throws", envelope(Uint8Array.of(0xa1, 0x64, ...new TextEncoder().encode("what"), 0x67, ...new TextEncoder().encode("failure")))), (e) => {
    assert.deepEqual(e.payload, { code: "busy", message: "later", retryable: true, backoffMs: 250n, details: undefined });
    return true;
  });
  assert.throws(() => node.invoke("greet", envelope(Uint8Array.of(0xa1))), (e) => e.payload.code === "invalid_input" && /ends too early/.test(e.payload.message));
});

test("it describes itself", () => {
  const g = guest(hello, {});
  const d = g.node.describe();
  assert.equal(d.ops.length, 8);
  assert.deepEqual(decode(d.ops[0].input.schema.val), {
    type: "object", properties: { name: { type: "string", min_len: 1 }, times: { type: "int", max: 3 } }, required: ["name"], additional: { type: "allow" },
  });
  const document = decode(g.componentDescriptor.describe());
  assert.deepEqual(document.info, { id: "acme.hello", version: "0.1.0", role: "tool", display_name: { key: "name", fallback: "acme.hello" } });
  assert.deepEqual(document.metadata.manifest.secret_requirements, [{ key: "TOKEN", required: true, scope: { env: "any", tenant: "any" }, format: "text" }]);
  assert.equal(document.metadata.manifest.operations[0].input_schema.properties.name.minLength, 1);
  assert.deepEqual(decode(g.componentQa.qaSpec("setup")).questions, [
    { id: "greeting", label: { key: "config.greeting", fallback: "the first word" }, kind: { type: "text" }, required: false, default: "Hello" },
    { id: "loud", label: { key: "config.loud", fallback: "loud" }, kind: { type: "bool" }, required: false },
  ]);
  const empty = Uint8Array.of(0xa0);
  assert.deepEqual(decode(g.componentQa.applyAnswers("setup", empty, Uint8Array.of(0xa1, 0x64, ...new TextEncoder().encode("loud"), 0xf5))), { greeting: "Hello", loud: true });
  assert.deepEqual(decode(g.componentQa.applyAnswers("setup", empty, Uint8Array.of(0xa1, 0x64, ...new TextEncoder().encode("loud"), 0x01))), { ok: false, error: "$.loud: want boolean, got number" });
  assert.deepEqual(decode(g.componentQa.applyAnswers("remove", empty, empty)), {});
  assert.deepEqual(g.componentI18n.i18nKeys().slice(0, 4), ["bye", "config.greeting", "config.loud", "name"]);
  assert.equal(inspect(hello), '{"uses":["http","state","log","secrets"]}');
});

test("a component that is put together wrongly says so", async () => {
  const ok = { run() {} };
  for (const [info, want] of [
    [undefined, /wants an object/],
    [{ name: "Hello World", version: "1.0.0", operations: { a: ok } }, /^name: want a dotted lower-case name/],
    [{ name: "a", version: "1", operations: { a: ok } }, /^version/],
    [{ name: "a", version: "1.0.0" }, /^operations: the component has none/],
    [{ name: "a", version: "1.0.0", operations: { "A b": ok } }, /^operation "A b"/],
    [{ name: "a", version: "1.0.0", operations: { a: {} } }, /run is not a function/],
    [{ name: "a", version: "1.0.0", operations: { a: { ...ok, input: { type: "text" } } } }, /input: \$: there is no type "text"/],
    [{ name: "a", version: "1.0.0", operations: { a: { ...ok, input: { type: "object", minProperty: 1 } } } }, /the keyword minProperty is not supported/],
    [{ name: "a", version: "1.0.0", operations: { a: ok }, uses: ["htpp"] }, /there is no "htpp", only http/],
    [{ name: "a", version: "1.0.0", operations: { a: ok }, secrets: ["a b"] }, /is no key/],
    [{ name: "a", version: "1.0.0", operations: { a: ok }, config: { type: "string" } }, /want an object schema/],
  ]) {
    const c = component(info);
    assert.match(JSON.parse(inspect(c)).broken, want);
    if (info) {
      await failing(call(c, "a"), "broken", want);
      assert.match(decode(guest(c, {}).componentDescriptor.describe()).metadata.broken, want);
    }
  }
  assert.match(JSON.parse(inspect({})).broken, /export default component/);
  assert.throws(() => guest({}, {}), /export default component/);
  assert.equal(fail("a", "b", { c: 1 }).details.c, 1);
});
