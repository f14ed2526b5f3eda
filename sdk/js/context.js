// One invocation: for whom it runs, and what it may reach. What is reached are the interfaces of the
// host, as `hosts` has them: http, secrets, state, log and control, each when the component uses it.
import { decode } from "./cbor.js";
import { Failure } from "./failure.js";
import { Misfit, fit } from "./schema.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const unused = (what) => new Failure("not_declared", `the component does not use ${what}: add it to component({ ${what === "secrets" ? "secrets: […]" : `uses: ["${what}"]`} })`);

// What the host said: an error record, or a case of an enum.
const refusal = (e) => {
  const p = e?.payload;
  if (p === undefined) throw e;
  return typeof p === "string" ? { code: p, message: p } : p;
};

const word = (code) => String(code).replaceAll("-", "_");

export class Context {
  #of;

  constructor(operation, envelope, input, info, hosts) {
    this.#of = { operation, envelope, input, info, hosts, config: undefined };
  }

  get operation() {
    return this.#of.operation;
  }
  get flow() {
    return this.#of.envelope.flowId;
  }
  get node() {
    return this.#of.envelope.stepId;
  }
  get component() {
    return this.#of.envelope.componentId;
  }
  get attempt() {
    return this.#of.envelope.attempt;
  }

  get tenant() {
    const c = this.#of.envelope.ctx;
    return { env: c.envId, id: c.tenantId, team: c.teamId ?? "", user: c.userId ?? "", locale: c.i18nId, trace: c.traceId, correlation: c.correlationId,
      idempotencyKey: c.idempotencyKey ?? "" };
  }

  get deadline() {
    const ms = Number(this.#of.envelope.ctx.deadlineMs);
    return ms > 8.64e15 ? undefined : new Date(ms);
  }

  get metadata() {
    const b = this.#of.envelope.metadataCbor;
    return b === undefined || b.length === 0 ? undefined : decode(b);
  }

  get input() {
    return this.#of.input;
  }

  get config() {
    if (this.#of.config === undefined) {
      const given = this.#of.input?.config ?? {};
      try {
        this.#of.config = fit(this.#of.info.config ?? { type: "object" }, given, "$.config");
      } catch (e) {
        throw e instanceof Misfit ? new Failure("invalid_config", e.message) : e;
      }
    }
    return this.#of.config;
  }

  cancelled() {
    if (this.#of.hosts.control === undefined) throw unused("cancel");
    return this.#of.hosts.control.shouldCancel();
  }

  secret(key) {
    return decoder.decode(this.secretBytes(key));
  }

  secretBytes(key) {
    if (this.#of.hosts.secrets === undefined) throw unused("secrets");
    let value;
    let code = "not-found";
    try {
      value = this.#of.hosts.secrets.get(key);
    } catch (e) {
      code = refusal(e).code;
    }
    if (value !== undefined) return value;
    if (code === "denied") throw new Failure("secret_denied", `the secret ${key} was not granted; is it in component({ secrets })?`);
    if (code === "not-found") throw new Failure("secret_not_found", `there is no secret ${key}`);
    throw new Failure(`secret_${word(code)}`, `the secret ${key} cannot be read`);
  }

  get state() {
    if (this.#of.hosts.state === undefined) throw unused("state");
    return new State(this.#of.hosts.state);
  }

  get http() {
    if (this.#of.hosts.http === undefined) throw unused("http");
    return new HTTP(this.#of.hosts.http);
  }

  log(message, fields = {}) {
    if (this.#of.hosts.log === undefined) throw unused("log");
    const e = this.#of.envelope;
    const span = { tenant: e.ctx.tenantId, flowId: e.flowId, nodeId: e.stepId, provider: e.componentId };
    const pairs = Object.entries(fields).map(([k, v]) => [k, typeof v === "string" ? v : v instanceof Error ? v.message : JSON.stringify(v) ?? "null"]);
    try {
      this.#of.hosts.log.log(span, [["message", String(message)], ...pairs], undefined);
    } catch (e) {
      refusal(e); // a log line is no reason to fail
    }
  }
}

class State {
  #host;
  constructor(host) {
    this.#host = host;
  }

  get(key) {
    let text;
    try {
      text = decoder.decode(this.#host.read(key, undefined));
    } catch (e) {
      const said = refusal(e);
      if (word(said.code) === "not_found") return undefined;
      throw stateFailure("read", key, said);
    }
    if (text === "") return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw new Failure("state_invalid", `state ${key}: what is kept is no JSON`);
    }
  }

  set(key, value) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new Failure("state_invalid", `state ${key}: a ${typeof value} has no value form`);
    try {
      this.#host.write(key, encoder.encode(text), undefined);
    } catch (e) {
      throw stateFailure("write", key, refusal(e));
    }
  }

  delete(key) {
    try {
      this.#host.delete(key, undefined);
    } catch (e) {
      throw stateFailure("delete", key, refusal(e));
    }
  }
}

function stateFailure(verb, key, said) {
  const codes = { denied: "denied", unavailable: "unavailable", "invalid-input": "invalid", "invalid-ctx": "invalid" };
  return new Failure(`state_${codes[said.code] ?? "internal"}`, `state ${verb} ${key}: ${said.message}`, { retryable: said.code === "unavailable" });
}

class HTTP {
  #host;
  constructor(host) {
    this.#host = host;
  }

  send({ method = "GET", url, headers = {}, body, timeoutMs, followRedirects, allowInsecure }) {
    const pairs = Array.isArray(headers) ? headers : Object.entries(headers).map(([k, v]) => [k, String(v)]);
    const options = timeoutMs === undefined && followRedirects === undefined && allowInsecure === undefined ? undefined : { timeoutMs, allowInsecure, followRedirects };
    try {
      return new Response(method, url, this.#host.send({ method, url: String(url), headers: pairs, body: typeof body === "string" ? encoder.encode(body) : body }, options, undefined));
    } catch (e) {
      const said = refusal(e);
      const code = { denied: "denied", unavailable: "unavailable", invalid: "invalid", "invalid-input": "invalid", invalid_input: "invalid" }[said.code] ?? "internal";
      throw new Failure(`http_${code}`, `${method} ${url}: ${said.message}`, { retryable: said.code === "unavailable" });
    }
  }

  get(url, request) {
    return this.send({ ...request, url });
  }

  postJSON(url, value, request) {
    const headers = { "content-type": "application/json", accept: "application/json", ...request?.headers };
    const r = this.send({ ...request, method: "POST", url, headers, body: JSON.stringify(value) });
    if (!r.ok) throw r.failure();
    return r.json();
  }
}

/** The answer to a request, whatever its status. */
class Response {
  #request;
  constructor(method, url, { status, headers, body }) {
    this.#request = `${method} ${url}`;
    this.status = status;
    this.headers = headers;
    this.body = body ?? new Uint8Array();
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  header(name) {
    return this.headers.find(([k]) => k.toLowerCase() === name.toLowerCase())?.[1];
  }

  text() {
    return decoder.decode(this.body);
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (e) {
      throw new Failure("http_invalid", `${this.#request}: the answer is no JSON: ${e.message}`);
    }
  }

  failure() {
    const { status } = this;
    const again = status === 408 || status === 425 || status === 429 || status >= 500;
    const pause = Number(this.header("retry-after"));
    return new Failure(`http_${status}`, `${this.#request}: the server answered ${status}`, { retryable: again, backoffMs: again && pause > 0 ? pause * 1000 : undefined });
  }
}

