// Package binary decodes WebAssembly components into a typed model.
package binary
