// Package interfaces is the contract with every guest: our WIT packages, embedded.
//
// What it is: one .wit file per package and version, with the names and shapes of the
// ecosystem (formats digest 2.4, 2.5, 3.1, 3.2, 3.3), and the interface names as constants. Who
// calls it: runtime/host, which implements the imports and calls the exports; build, which
// embeds a world into guests; SDK generators. What it refuses to do: parse (wasm/wit does) or
// behave (runtime/host does). Its main values are [FS] and the names. That the files parse,
// resolve and equal what public components import is tested in interfaces_test.go.
package interfaces
