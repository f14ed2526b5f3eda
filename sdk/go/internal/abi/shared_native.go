//go:build !wasm

package abi

// Start does nothing outside a component, where tests run.
func Start() {}

// aligned is n zeroed bytes; outside a component alignment does not matter.
func aligned(n uint32) []byte { return make([]byte, n) }
