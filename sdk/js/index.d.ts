/** A JSON Schema whose values have the type T. */
export interface Schema<T = unknown> {
  readonly [keyword: string]: unknown;
  readonly "~value"?: T;
}
/** A schema that may be left out of its object. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly "~optional": true;
}
/** The type of a schema's values. */
export type Infer<S> = S extends Schema<infer T> ? T : unknown;

type Keywords = { title?: string; description?: string; default?: unknown; [keyword: string]: unknown };
type Properties = Record<string, Schema<any>>;
type OptionalKeys<P> = { [K in keyof P]: P[K] extends OptionalSchema<any> ? K : never }[keyof P];
type Shape<P> = { [K in Exclude<keyof P, OptionalKeys<P>>]: Infer<P[K]> } & { [K in OptionalKeys<P>]?: Infer<P[K]> };

/** Builds JSON Schemas. Properties of an object are required unless they are optional or have a default. */
export const s: {
  string(more?: Keywords & { minLength?: number; maxLength?: number; pattern?: string; format?: string }): Schema<string>;
  integer(more?: Keywords & { minimum?: number; maximum?: number }): Schema<number>;
  number(more?: Keywords & { minimum?: number; maximum?: number }): Schema<number>;
  boolean(more?: Keywords): Schema<boolean>;
  enum<const V extends readonly string[]>(values: V, more?: Keywords): Schema<V[number]>;
  array<S extends Schema<any>>(items: S, more?: Keywords & { minItems?: number; maxItems?: number }): Schema<Infer<S>[]>;
  record<S extends Schema<any>>(values: S, more?: Keywords): Schema<Record<string, Infer<S>>>;
  object<P extends Properties>(properties: P, more?: Keywords & { additionalProperties?: boolean }): Schema<Shape<P>>;
  any(more?: Keywords): Schema<any>;
  optional<S extends Schema<any>>(schema: S): OptionalSchema<Infer<S>>;
};

/** For whom an invocation runs. Empty texts are unknown. */
export interface Tenant {
  env: string;
  id: string;
  team: string;
  user: string;
  /** "de-CH" */
  locale: string;
  trace: string;
  correlation: string;
  idempotencyKey: string;
}

export interface Request {
  /** GET when it is left out. */
  method?: string;
  /** Absolute. */
  url: string;
  headers?: Record<string, string> | [string, string][];
  body?: string | Uint8Array;
  /** Milliseconds; the host's limit when it is left out. */
  timeoutMs?: number;
  followRedirects?: boolean;
  allowInsecure?: boolean;
}

/** The answer to a request, whatever its status. */
export interface Response {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: Uint8Array;
  /** Whether the status is 2xx. */
  readonly ok: boolean;
  /** The first header of a name, whatever its case. */
  header(name: string): string | undefined;
  text(): string;
  json(): any;
  /** An answer that is not ok as an error to throw: code http_STATUS, retryable where that may help. */
  failure(): Failure;
}

/** One invocation: for whom it runs, and what it may reach. */
export interface Context<Config = any> {
  readonly operation: string;
  readonly flow: string;
  readonly node: string;
  readonly component: string;
  /** 1 is the first. */
  readonly attempt: number;
  readonly tenant: Tenant;
  /** When the host stops waiting. */
  readonly deadline: Date | undefined;
  /** What the host sent beside the input. */
  readonly metadata: unknown;
  /** The whole input, also what the operation's schema leaves out. */
  readonly input: any;
  /** The configuration, with defaults. Throws invalid_config. */
  readonly config: Config;
  /** A secret that component({ secrets }) names. Throws secret_not_found, secret_denied, … */
  secret(key: string): string;
  secretBytes(key: string): Uint8Array;
  /** The component's memory, kept by the host; needs uses: ["state"]. Values are JSON. */
  readonly state: { get<T = any>(key: string): T | undefined; set(key: string, value: unknown): void; delete(key: string): void };
  /** The way out, to granted hosts; needs uses: ["http"]. Throws http_denied, http_unavailable, … */
  readonly http: {
    send(request: Request): Response;
    get(url: string, request?: Omit<Request, "url">): Response;
    /** Sends JSON and gives the JSON of a 2xx answer; throws the failure of another. */
    postJSON(url: string, value: unknown, request?: Omit<Request, "url" | "method" | "body">): any;
  };
  /** Writes a line to the host's log; needs uses: ["log"]. */
  log(message: string, fields?: Record<string, unknown>): void;
  /** Whether the host wants the operation to stop; needs uses: ["cancel"]. */
  cancelled(): boolean;
}

export interface Operation<In = any, Out = any, Config = any> {
  summary?: string;
  /** What the input must be, checked before run is called; an object of any kind when it is left out. */
  input?: Schema<In>;
  /** What the answer must be, checked before the host gets it. */
  output?: Schema<Out>;
  examples?: { title: string; input: In; output: Out }[];
  run(ctx: Context<Config>, input: In): Out | Promise<Out>;
}

export interface Secret {
  key: string;
  description?: string;
  format?: "text" | "bytes" | "json";
  optional?: boolean;
}

export interface Info<Config = any> {
  /** Dotted, lower case: "acme.weather". */
  name: string;
  /** Semantic: "0.1.0". */
  version: string;
  /** For people; the name when it is left out. */
  title?: string;
  summary?: string;
  operations: Record<string, Operation<any, any, Config>>;
  /** The configuration: an object schema with defaults. */
  config?: Schema<Config>;
  /** All secrets it may ask for; the host refuses others. */
  secrets?: (string | Secret)[];
  /** What else it uses of the host. */
  uses?: ("http" | "state" | "log" | "cancel")[];
  supports?: ("messaging" | "event" | "component_config" | "job" | "http")[];
  capabilities?: string[];
  /** Keys of the texts it wants translated, with what they say in English. */
  texts?: Record<string, string>;
  memoryMb?: number;
  wallTimeMs?: number;
}

export interface Component {
  readonly info: Info;
}

/** One operation, with the types of its schemas. */
export function op<In = any, Out = any, Config = any>(operation: Operation<In, Out, Config>): Operation<In, Out, Config>;

/** A component: export default component({ … }). */
export function component<Config = any>(info: Info<Config>): Component;

/** A failure the host can react to: flows route by its code. */
export class Failure extends Error {
  constructor(code: string, message: string, options?: { retryable?: boolean; backoffMs?: number; details?: unknown });
  readonly code: string;
  readonly retryable: boolean;
  readonly backoffMs: number | undefined;
  readonly details: unknown;
}
export function fail(code: string, message: string, details?: unknown): Failure;
/** An error worth another try, after a pause in milliseconds or one the host chooses. */
export function retry(code: string, message: string, backoffMs?: number): Failure;

export interface Mock {
  tenant?: Partial<Tenant>;
  config?: unknown;
  secrets?: Record<string, string>;
  state?: Map<string, any>;
  http?(request: { method: string; url: string; headers: [string, string][]; body?: Uint8Array }): {
    status?: number;
    headers?: Record<string, string>;
    body?: unknown;
  };
  log?(line: Record<string, string>): void;
  cancelled?: boolean;
  attempt?: number;
  flow?: string;
  node?: string;
}
/** Calls an operation in a test, with a mock as its host. What it throws is a Failure. */
export function call(component: Component, operation: string, input?: unknown, mock?: Mock): Promise<any>;
