import type { Component } from "./index.js";
/** For builders: the objects that the entry module of a component exports. */
export function guest(component: Component, hosts: Record<string, unknown>): Record<string, Record<string, (...args: any[]) => unknown>>;
export function inspect(component: Component): string;
