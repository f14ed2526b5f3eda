// What the host calls: the interfaces of a component, over the records of greentic:component@0.6.0 as
// jco and our builder give them to JavaScript.
import { decode, encode } from "./cbor.js";
import { Component, decoded, encoded } from "./component.js";
import { failureOf } from "./failure.js";

// An error as the node interface has it: thrown with its record as payload.
function thrown(e) {
  const f = failureOf(e);
  let details;
  try {
    details = f.details === undefined ? undefined : encode(f.details);
  } catch {
    details = undefined; // what has no value form is left out
  }
  const backoffMs = f.backoffMs > 0 ? BigInt(Math.ceil(f.backoffMs)) : undefined;
  const out = new Error(f.message);
  out.payload = { code: String(f.code || "internal"), message: f.message, retryable: Boolean(f.retryable), backoffMs, details };
  return out;
}

const ended = (op, v) => ({ ok: true, outputCbor: encoded(op, v), outputMetadataCbor: undefined });

const invoking = (app, hosts) => (op, envelope) => {
  try {
    const v = app.run(op, envelope, hosts, decoded(envelope.payloadCbor));
    if (v === null || typeof v !== "object" || typeof v.then !== "function") return ended(op, v);
    return v.then((x) => ended(op, x)).catch((e) => {
      throw thrown(e);
    });
  } catch (e) {
    throw thrown(e);
  }
};

const plain = (bytes) => (bytes.length === 0 ? null : decode(bytes));

/** The objects that the entry module of a component exports. */
export function guest(app, hosts) {
  if (!(app instanceof Component)) throw new TypeError("the default export of the entry module is no component: write export default component({ … })");
  if (hosts.log !== undefined) redirectConsole(hosts);
  return {
    node: { describe: () => app.descriptor(), invoke: invoking(app, hosts) },
    componentDescriptor: { getComponentInfo: () => encode(app.document().info), describe: () => encode(app.document()) },
    componentQa: {
      qaSpec: (mode) => encode(app.questions(mode)),
      applyAnswers: (mode, current, answers) => encode(app.applied(mode, plain(current), plain(answers))),
    },
    componentI18n: { i18nKeys: () => app.texts() },
    failed: thrown,
  };
}

/** For the builder: what the component uses of the host, or what is wrong with it, as JSON. */
export function inspect(app) {
  if (!(app instanceof Component)) return JSON.stringify({ broken: "the default export is no component: write export default component({ … })" });
  return JSON.stringify(app.broken === undefined ? { uses: app.uses } : { broken: app.broken });
}

// console writes to the host's log.
function redirectConsole({ log }) {
  const span = { tenant: "", flowId: "", provider: "console" };
  const say = (level) => (...parts) => {
    const message = parts.map((p) => (typeof p === "string" ? p : p instanceof Error ? `${p.name}: ${p.message}` : JSON.stringify(p))).join(" ");
    try {
      log.log(span, [["message", message], ["level", level]], undefined);
    } catch (e) {
      if (e?.payload === undefined) throw e;
    }
  };
  globalThis.console = { debug: say("debug"), log: say("info"), info: say("info"), warn: say("warn"), error: say("error") };
}
