// Package guest makes a Greentic component out of a [Node]: it is the guest side of
// greentic:component/node@0.6.0 for standard Go.
//
// What it is: the flattened exports the componentiser looks for, the memory they pass, and
// CBOR in and out. Who calls it: a component's main package sets its node with [Serve]. What it
// refuses to do: reflection, goroutines, I/O; payloads are plain values (package value).
// Main types: [Node], [Op], [Call], [Fail]. Tested in memory_test.go and, inside a host, by the
// script of the example.
package guest
