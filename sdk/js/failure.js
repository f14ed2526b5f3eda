/** A failure the host can react to: a flow sees its code and message, and routes by them. */
export class Failure extends Error {
  constructor(code, message, { retryable = false, backoffMs, details } = {}) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.retryable = retryable;
    this.backoffMs = backoffMs;
    this.details = details;
  }
}

/** An error with a code. */
export const fail = (code, message, details) => new Failure(code, message, { details });

/** An error worth another try, after a pause in milliseconds or one the host chooses. */
export const retry = (code, message, backoffMs) => new Failure(code, message, { retryable: true, backoffMs });

// The first line of a stack outside of this package, as "main.js:3:9".
function place(stack) {
  for (const line of String(stack ?? "").split("\n")) {
    const m = /([^\s()]+:\d+:\d+)\)?$/.exec(line.trim());
    if (m && !m[1].includes("@greentic/component/") && !m[1].startsWith("kernel:")) return m[1].replace(/^file:\/\//, "");
  }
  return "";
}

/** Whatever was thrown, as a Failure. */
export function failureOf(e) {
  if (e instanceof Failure) return e;
  if (e instanceof Error) {
    if (e.name === "InternalError" && /out of memory/.test(e.message)) return new Failure("out_of_memory", "the component has no more memory");
    if (e.name === "InternalError" && /stack overflow/.test(e.message)) return new Failure("stack_overflow", "the component calls itself too deeply");
    if (e.name === "RangeError" && /call stack/.test(e.message)) return new Failure("stack_overflow", "the component calls itself too deeply");
    const where = place(e.stack);
    return new Failure("exception", `${e.name}: ${e.message}${where && ` (${where})`}`);
  }
  return new Failure("exception", `thrown: ${String(e)}`);
}
