export { component, op } from "./component.js";
export { Failure, fail, retry } from "./failure.js";
export { call } from "./mock.js";
export { s } from "./schema.js";
