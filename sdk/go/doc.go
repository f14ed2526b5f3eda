// Package sdk is the module of the Go SDK; components import greentic.dev/sdk/go/greentic.
//
// What it is: nothing to import. Who calls it: nobody. What it refuses to do: depend on any other
// module, so that a component builds with a Go toolchain alone.
package sdk
