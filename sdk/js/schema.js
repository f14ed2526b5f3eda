// JSON Schemas: a builder, a check that gives values with their defaults, and the dialect of
// self-descriptions.

const optional = Symbol("optional");

const typed = (type, more) => (more ? { type, ...more } : { type });

/** Builds JSON Schemas; `more` is any other keyword: description, default, minLength, format, … */
export const s = {
  string: (more) => typed("string", more),
  integer: (more) => typed("integer", more),
  number: (more) => typed("number", more),
  boolean: (more) => typed("boolean", more),
  enum: (values, more) => ({ type: "string", enum: [...values], ...more }),
  array: (items, more) => ({ type: "array", items, ...more }),
  record: (values, more) => ({ type: "object", additionalProperties: values, ...more }),
  any: (more) => ({ ...more }),
  optional: (schema) => ({ ...schema, [optional]: true }),
  object(properties, more) {
    const required = Object.keys(properties).filter((k) => !properties[k][optional] && properties[k].default === undefined);
    const out = { type: "object", properties: Object.fromEntries(Object.entries(properties).map(([k, v]) => [k, plain(v)])) };
    if (required.length > 0) out.required = required;
    return { ...out, ...more };
  },
};

// Without the mark of s.optional, which only its object looks at.
const plain = ({ [optional]: _, ...schema }) => schema;

/** A value that does not fit its schema. */
export class Misfit extends Error {}

const kind = (v) => {
  if (v === null || v === undefined) return "null";
  if (Array.isArray(v)) return "array";
  if (v instanceof Uint8Array) return "bytes";
  return typeof v === "bigint" ? "integer" : typeof v;
};

function isType(type, v) {
  switch (type) {
    case "integer":
      return typeof v === "bigint" || Number.isInteger(v);
    case "number":
      return typeof v === "number" || typeof v === "bigint";
    case "object":
      return kind(v) === "object";
    case "null":
      return v === null;
    case "string": // bytes travel as they are
      return typeof v === "string" || v instanceof Uint8Array;
  }
  return kind(v) === type;
}

const same = (a, b) => a === b || (a !== null && typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));

const shown = (v) => {
  const text = typeof v === "string" ? JSON.stringify(v) : String(v);
  return text.length > 60 ? text.slice(0, 57) + "…" : text;
};

/** The value with defaults filled in. Throws a Misfit that says where and what was wanted. */
export function fit(schema, v, path = "$") {
  if (schema === true || schema === undefined) return v;
  if (schema === false) throw new Misfit(`${path}: nothing is allowed here`);
  if (schema.type !== undefined) {
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    if (!types.some((t) => isType(t, v))) throw new Misfit(`${path}: want ${types.join(" or ")}, got ${kind(v)}`);
  }
  if (schema.enum !== undefined && !schema.enum.some((x) => same(x, v)))
    throw new Misfit(`${path}: want one of ${schema.enum.map(shown).join(", ")}, got ${shown(v)}`);
  if (schema.const !== undefined && !same(schema.const, v)) throw new Misfit(`${path}: want ${shown(schema.const)}, got ${shown(v)}`);
  if (typeof v === "number" || typeof v === "bigint") range(schema, v, path);
  else if (typeof v === "string") text(schema, v, path);
  else if (Array.isArray(v)) return list(schema, v, path);
  else if (kind(v) === "object") return object(schema, v, path);
  return choice(schema, v, path);
}

function choice(schema, v, path) {
  for (const one of schema.allOf ?? []) v = fit(one, v, path);
  const ways = schema.anyOf ?? schema.oneOf;
  if (ways === undefined) return v;
  const reasons = [];
  for (const one of ways) {
    try {
      return fit(one, v, path);
    } catch (e) {
      if (!(e instanceof Misfit)) throw e;
      reasons.push(e.message);
    }
  }
  throw new Misfit(`${path}: fits none of ${ways.length} schemas; ${reasons[0]}`);
}

function range(schema, v, path) {
  if (v < schema.minimum) throw new Misfit(`${path}: want at least ${schema.minimum}, got ${v}`);
  if (v > schema.maximum) throw new Misfit(`${path}: want at most ${schema.maximum}, got ${v}`);
  if (v <= schema.exclusiveMinimum) throw new Misfit(`${path}: want more than ${schema.exclusiveMinimum}, got ${v}`);
  if (v >= schema.exclusiveMaximum) throw new Misfit(`${path}: want less than ${schema.exclusiveMaximum}, got ${v}`);
}

function text(schema, v, path) {
  if (schema.minLength === undefined && schema.maxLength === undefined && schema.pattern === undefined) return;
  const n = schema.minLength === undefined && schema.maxLength === undefined ? 0 : [...v].length;
  if (n < schema.minLength) throw new Misfit(`${path}: want at least ${schema.minLength} characters, got ${n}`);
  if (n > schema.maxLength) throw new Misfit(`${path}: want at most ${schema.maxLength} characters, got ${n}`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(v)) throw new Misfit(`${path}: ${shown(v)} does not match ${schema.pattern}`);
}

function list(schema, v, path) {
  if (v.length < schema.minItems) throw new Misfit(`${path}: want at least ${schema.minItems} items, got ${v.length}`);
  if (v.length > schema.maxItems) throw new Misfit(`${path}: want at most ${schema.maxItems} items, got ${v.length}`);
  if (schema.items !== undefined) v = v.map((x, i) => fit(schema.items, x, `${path}[${i}]`));
  return choice(schema, v, path);
}

function object(schema, v, path) {
  const properties = schema.properties ?? {};
  for (const k of schema.required ?? []) if (v[k] === undefined) throw new Misfit(`${path}.${k}: is missing`);
  let out = v;
  const put = (k, x) => {
    if (x === v[k] && k in v) return;
    if (out === v) out = { ...v };
    out[k] = x;
  };
  for (const k of Object.keys(properties)) {
    if (v[k] !== undefined) put(k, fit(properties[k], v[k], `${path}.${k}`));
    else if (properties[k].default !== undefined) put(k, properties[k].default);
  }
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== true) {
    for (const k of Object.keys(v)) {
      if (Object.hasOwn(properties, k)) continue;
      if (schema.additionalProperties === false) throw new Misfit(`${path}.${k}: is not known`);
      put(k, fit(schema.additionalProperties, v[k], `${path}.${k}`));
    }
  }
  return choice(schema, out, path);
}

const bounds = (out, schema, low, high, min, max) => {
  if (schema[low] !== undefined) out[min] = schema[low];
  if (schema[high] !== undefined) out[max] = schema[high];
  return out;
};

/** The schema in the dialect of self-descriptions (SchemaIr). */
export function toIr(schema) {
  if (schema === true || schema === undefined) return anyIr();
  if (schema.enum !== undefined) return { type: "enum", values: schema.enum };
  const ways = schema.anyOf ?? schema.oneOf;
  if (ways !== undefined) return { type: "one_of", variants: ways.map(toIr) };
  if (Array.isArray(schema.type)) return { type: "one_of", variants: schema.type.map((type) => toIr({ ...schema, type })) };
  switch (schema.type) {
    case "string": {
      const out = bounds({ type: "string" }, schema, "minLength", "maxLength", "min_len", "max_len");
      if (schema.pattern !== undefined) out.regex = schema.pattern;
      if (schema.format !== undefined) out.format = schema.format;
      return out;
    }
    case "integer":
      return bounds({ type: "int" }, schema, "minimum", "maximum", "min", "max");
    case "number":
      return bounds({ type: "float" }, schema, "minimum", "maximum", "min", "max");
    case "boolean":
      return { type: "bool" };
    case "null":
      return { type: "null" };
    case "array":
      return bounds({ type: "array", items: toIr(schema.items) }, schema, "minItems", "maxItems", "min_items", "max_items");
    case "object": {
      const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, v]) => [k, toIr(v)]));
      let additional = { type: "allow" };
      if (schema.additionalProperties === false) additional = { type: "forbid" };
      else if (typeof schema.additionalProperties === "object") additional = { type: "schema", schema: toIr(schema.additionalProperties) };
      return { type: "object", properties, required: schema.required ?? [], additional };
    }
  }
  return anyIr();
}

// The schema of any value; the dialect has no word for it.
function anyIr() {
  const open = { type: "object", properties: {}, required: [], additional: { type: "allow" } };
  const rest = ["string", "int", "float", "bool", "null", "bytes"].map((type) => ({ type }));
  return { type: "one_of", variants: [open, { type: "array", items: { type: "ref", id: "any" } }, ...rest] };
}

const KEYWORDS = new Set(["$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "type", "enum", "const",
  "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType", "items",
  "minItems", "maxItems", "properties", "required", "additionalProperties", "allOf", "anyOf", "oneOf"]);
const TYPES = new Set(["string", "integer", "number", "boolean", "null", "array", "object"]);

/** What is wrong with a schema, or undefined: a keyword that fit would not look at is refused. */
export function flaw(schema, path = "$") {
  if (typeof schema === "boolean") return undefined;
  if (kind(schema) !== "object") return `${path}: want a schema, got ${kind(schema)}`;
  for (const k of Object.keys(schema)) if (!KEYWORDS.has(k) && !k.startsWith("x-")) return `${path}: the keyword ${k} is not supported`;
  for (const t of [schema.type ?? []].flat()) if (!TYPES.has(t)) return `${path}: there is no type ${shown(t)}`;
  if (schema.pattern !== undefined) {
    try {
      new RegExp(schema.pattern, "u");
    } catch (e) {
      return `${path}: the pattern ${shown(schema.pattern)}: ${e.message}`;
    }
  }
  const inner = [["items", schema.items], ["additionalProperties", schema.additionalProperties]].filter(([, x]) => x !== undefined);
  for (const [k, x] of Object.entries(schema.properties ?? {})) inner.push([k, x]);
  for (const k of ["allOf", "anyOf", "oneOf"]) (schema[k] ?? []).forEach((x, i) => inner.push([`${k}[${i}]`, x]));
  for (const [k, x] of inner) {
    const wrong = flaw(x, `${path}.${k}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
