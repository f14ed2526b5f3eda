// A component as the developer puts it together, and what it says of itself.
import { ValueError, decode, encode, encodeOnce } from "./cbor.js";
import { Context } from "./context.js";
import { Failure, failureOf } from "./failure.js";
import { Misfit, fit, flaw, toIr } from "./schema.js";

const USES = ["http", "state", "log", "cancel"];
const SUPPORTS = ["messaging", "event", "component_config", "job", "http"];
const OPEN = { type: "object" };
const NAME = /^[a-z][a-z0-9_.:-]*$/;

/** One operation: what it takes, what it gives, and the function that does it. */
export const op = (operation) => operation;

/** A component; it is the default export of the entry module. */
export const component = (info) => new Component(info);

const phrase = (key, fallback) => ({ key, fallback });

export class Component {
  constructor(info) {
    this.info = info;
    this.operations = Object.entries(info?.operations ?? {}).map(([name, o]) => ({ name, input: OPEN, output: true, ...o }));
    this.broken = this.#flaw();
    this.byName = new Map(this.operations.map((o) => [o.name, o]));
  }

  // What is wrong with it, or undefined.
  #flaw() {
    const i = this.info;
    if (i === null || typeof i !== "object") return "component() wants an object";
    if (typeof i.name !== "string" || !/^[a-z][a-z0-9._-]*$/.test(i.name)) return `name: want a dotted lower-case name such as acme.hello, got ${JSON.stringify(i.name)}`;
    if (typeof i.version !== "string" || !/^\d+\.\d+\.\d+([-+].*)?$/.test(i.version)) return `version: want a version such as 0.1.0, got ${JSON.stringify(i.version)}`;
    if (this.operations.length === 0) return "operations: the component has none";
    for (const o of this.operations) {
      if (!NAME.test(o.name)) return `operation ${JSON.stringify(o.name)}: a name is lower-case letters, digits and _ . : -, and begins with a letter`;
      if (typeof o.run !== "function") return `operation ${o.name}: run is not a function`;
      for (const side of ["input", "output"]) {
        const wrong = flaw(o[side]);
        if (wrong !== undefined) return `operation ${o.name}: ${side}: ${wrong}`;
      }
    }
    for (const u of i.uses ?? []) if (!USES.includes(u)) return `uses: there is no ${JSON.stringify(u)}, only ${USES.join(", ")}`;
    for (const x of i.supports ?? []) if (!SUPPORTS.includes(x)) return `supports: there is no ${JSON.stringify(x)}, only ${SUPPORTS.join(", ")}`;
    for (const x of this.secrets) if (!/^[A-Za-z0-9._\-/]+$/.test(x.key ?? "")) return `secrets: ${JSON.stringify(x.key)} is no key`;
    if (i.config === undefined) return undefined;
    const wrong = flaw(i.config);
    if (wrong !== undefined) return `config: ${wrong}`;
    return i.config.type === "object" ? undefined : "config: want an object schema";
  }

  get title() {
    return this.info.title ?? this.info.name;
  }

  get secrets() {
    return (this.info?.secrets ?? []).map((x) => (typeof x === "string" ? { key: x } : x));
  }

  /** The interfaces of the host that it uses: http, state, log, cancel and secrets. */
  get uses() {
    return [...(this.info.uses ?? []), ...(this.secrets.length > 0 ? ["secrets"] : [])];
  }

  get #properties() {
    return Object.entries(this.info.config?.properties ?? {});
  }

  #refuse(name) {
    if (this.broken !== undefined) throw new Failure("broken", this.broken);
    throw new Failure("not_found", `${this.info.name} has no operation ${JSON.stringify(name)}, only ${this.operations.map((x) => x.name).join(", ")}`);
  }

  /** Runs an operation. The result, or a promise of it, is plain; what is thrown may be anything. */
  run(name, envelope, hosts, plain) {
    const o = this.byName.get(name);
    if (o === undefined || this.broken !== undefined) this.#refuse(name);
    const input = plain ?? {};
    const out = o.run(new Context(name, envelope, input, this.info, hosts), o.input === OPEN ? open(input) : this.#fitting(o, input));
    if (out === null || typeof out !== "object" || typeof out.then !== "function") return o.output === true ? (out ?? null) : answer(o, out);
    return out.then((v) => answer(o, v));
  }

  #fitting(o, input) {
    try {
      return fit(o.input, this.#withoutConfig(o, input));
    } catch (e) {
      throw e instanceof Misfit ? new Failure("invalid_input", e.message) : e;
    }
  }

  // The configuration travels beside the fields of the input; ctx.config has it.
  #withoutConfig(o, input) {
    if (this.info.config === undefined || input.config === undefined || o.input.properties?.config !== undefined) return input;
    const { config: _, ...rest } = input;
    return rest;
  }

  /** What node.describe answers. */
  descriptor() {
    const inline = (v) => ({ tag: "inline-cbor", val: encode(v) });
    const side = (schema) => ({ schema: inline(toIr(schema)), contentType: "application/cbor", schemaVersion: undefined });
    const ops = this.broken !== undefined ? [] : this.operations.map((o) => ({
      name: o.name, summary: o.summary, input: side(o.input), output: side(o.output),
      examples: (o.examples ?? []).map((x) => ({ title: x.title, inputCbor: encode(x.input), outputCbor: encode(x.output) })),
    }));
    const setup = this.info.config === undefined ? undefined : {
      qaSpec: inline(this.questions("setup")), answersSchema: inline(toIr(this.info.config)), examples: [], outputs: [{ tag: "config-only" }],
    };
    return { name: this.info.name ?? "", version: this.info.version ?? "", summary: this.info.summary, capabilities: this.info.capabilities ?? [], ops, schemas: [], setup };
  }

  /** What component-descriptor.describe answers. Its metadata carries the manifest, for whoever builds it. */
  document() {
    const info = { id: this.info.name ?? "", version: this.info.version ?? "", role: "tool" };
    const config = this.info.config === undefined ? toIr(OPEN) : toIr(this.info.config);
    if (this.broken !== undefined)
      return { info, provided_capabilities: [], required_capabilities: [], metadata: { broken: this.broken }, operations: [], config_schema: config };
    return {
      info: { ...info, display_name: phrase("name", this.title) },
      provided_capabilities: this.info.capabilities ?? [], required_capabilities: [], metadata: { manifest: this.manifest() },
      operations: this.operations.map((o) => ({
        id: o.name, display_name: phrase(`operation.${o.name}`, o.summary ?? o.name), input: { schema: toIr(o.input) }, output: { schema: toIr(o.output) },
        defaults: {}, redactions: [], constraints: {},
      })),
      config_schema: config,
    };
  }

  /** component.manifest.json, but for what only its builder knows. */
  manifest() {
    const { info } = this;
    const { required: _, ...config } = info.config ?? { type: "object", properties: {} }; // defaults and setup fill in
    const m = {
      id: info.name, name: this.title, version: info.version, world: "greentic:component/component@0.6.0", describe_export: "describe", config_schema: config,
      operations: this.operations.map((o) => ({ name: o.name, input_schema: object(o.input), output_schema: object(o.output) })), default_operation: this.operations[0].name,
      supports: info.supports ?? ["messaging", "event", "job"], profiles: { default: "stateless", supported: ["stateless"] },
    };
    if (this.secrets.length > 0) {
      m.secret_requirements = this.secrets.map((x) => {
        const one = { key: x.key, required: !x.optional, scope: { env: "any", tenant: "any" }, format: x.format ?? "text" };
        return x.description === undefined ? one : { ...one, description: x.description };
      });
    }
    const limits = { ...(info.memoryMb && { memory_mb: info.memoryMb }), ...(info.wallTimeMs && { wall_time_ms: info.wallTimeMs }) };
    return Object.keys(limits).length > 0 ? { ...m, limits } : m;
  }

  /** The keys of everything that can be translated, sorted. */
  texts() {
    const keys = ["name", ...this.operations.map((o) => `operation.${o.name}`), ...Object.keys(this.info.texts ?? {}), ...this.#properties.map(([k]) => `config.${k}`)];
    return keys.sort();
  }

  /** The questions of a mode: one for each property of the configuration. */
  questions(mode) {
    const questions = [];
    for (const [id, p] of this.#properties) {
      const required = p.default === undefined && (this.info.config.required ?? []).includes(id);
      if (mode === "remove" || (mode === "default" && !required)) continue;
      const q = { id, label: phrase(`config.${id}`, p.title ?? p.description ?? id.replaceAll("_", " ")), kind: questionKind(id, p), required };
      questions.push(p.default === undefined ? q : { ...q, default: p.default });
    }
    return { mode, title: phrase("name", this.title), questions, defaults: {} };
  }

  /** The configuration that answers make of the current one: bare, or {ok: false, error}. */
  applied(mode, current, answers) {
    if (mode === "remove" || this.info.config === undefined) return {};
    for (const layer of [current, answers]) {
      if (layer !== null && (typeof layer !== "object" || Array.isArray(layer))) return { ok: false, error: "want an object" };
    }
    try {
      return fit(this.info.config, { ...current, ...answers });
    } catch (e) {
      if (e instanceof Misfit) return { ok: false, error: e.message };
      throw e;
    }
  }
}

// A schema in a manifest is an object.
const object = (schema) => (schema === true ? {} : schema);

function questionKind(id, p) {
  if (p.enum !== undefined) return { type: "choice", options: p.enum.map((v) => ({ value: v, label: phrase(`config.${id}.${v}`, String(v)) })) };
  switch (p.type) {
    case "string":
      return { type: "text" };
    case "boolean":
      return { type: "bool" };
    case "integer":
    case "number":
      return { type: "number" };
  }
  return { type: "inline_json", schema: p };
}

// An input without a schema is an object.
function open(input) {
  if (typeof input === "object" && !Array.isArray(input)) return input;
  throw new Failure("invalid_input", `$: want object, got ${Array.isArray(input) ? "array" : typeof input}`);
}

function answer(o, v) {
  const out = v === undefined ? null : v;
  if (o.output === true) return out;
  try {
    return fit(o.output, out);
  } catch (e) {
    throw e instanceof Misfit ? new Failure("invalid_output", `operation ${o.name} answered what does not fit its output: ${e.message}`) : e;
  }
}

/** A plain answer as bytes, good until the next is encoded, or a Failure. */
export function encoded(name, v) {
  try {
    return encodeOnce(v);
  } catch (e) {
    throw e instanceof ValueError ? new Failure("invalid_output", `the answer of ${name}: ${e.message}`) : failureOf(e);
  }
}

/** An input as a plain value, or a Failure. */
export function decoded(bytes) {
  try {
    return bytes === undefined || bytes.length === 0 ? undefined : decode(bytes);
  } catch (e) {
    throw e instanceof ValueError ? new Failure("invalid_input", e.message) : failureOf(e);
  }
}
