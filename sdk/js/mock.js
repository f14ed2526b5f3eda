// Stands in for the host in a component's own tests.
import { failureOf } from "./failure.js";
import { decoded, encoded } from "./component.js";

const encoder = new TextEncoder();

class Refusal extends Error {
  constructor(payload) {
    super(payload.message ?? payload);
    this.payload = payload;
  }
}

function hosts(app, { secrets = {}, state = new Map(), http, log, cancelled = false }) {
  const all = {
    secrets: {
      get(key) {
        if (!app.secrets.some((x) => x.key === key)) throw new Refusal("denied");
        return secrets[key] === undefined ? undefined : encoder.encode(secrets[key]);
      },
    },
    state: {
      read(key) {
        if (!state.has(key)) throw new Refusal({ code: "not_found", message: "nothing was written" });
        return encoder.encode(JSON.stringify(state.get(key)));
      },
      write: (key, bytes) => state.set(key, JSON.parse(new TextDecoder().decode(bytes))),
      delete: (key) => state.delete(key),
    },
    http: {
      send(request, options) {
        if (http === undefined) throw new Refusal({ code: "denied", message: "this mock has no http" });
        const { status = 200, headers = {}, body } = http({ ...request, ...options });
        const bytes = body === undefined || body instanceof Uint8Array ? body : encoder.encode(typeof body === "string" ? body : JSON.stringify(body));
        return { status, headers: Object.entries(headers), body: bytes };
      },
    },
    log: { log: (_, fields) => log?.(Object.fromEntries(fields)) },
    control: { shouldCancel: () => cancelled },
  };
  const used = new Set(app.uses.map((u) => (u === "cancel" ? "control" : u)));
  return Object.fromEntries(Object.entries(all).filter(([k]) => used.has(k)));
}

/** Calls an operation as the host would: values go through their encoded form. */
export async function call(app, name, input = {}, mock = {}) {
  const { tenant = {}, config, attempt = 1, flow = "flow", node = "node" } = mock;
  const ctx = { tenantId: tenant.id ?? "demo", teamId: tenant.team, userId: tenant.user, envId: tenant.env ?? "dev", traceId: tenant.trace ?? "",
    correlationId: tenant.correlation ?? "", deadlineMs: 2n ** 64n - 1n, attempt, idempotencyKey: tenant.idempotencyKey, i18nId: tenant.locale ?? "" };
  const envelope = { ctx, flowId: flow, stepId: node, componentId: app.info.name, attempt };
  const given = config === undefined ? input : { ...input, config };
  try {
    return decoded(encoded(name, await app.run(name, envelope, hosts(app, mock), decoded(encoded(name, given)))));
  } catch (e) {
    throw failureOf(e);
  }
}
