//go:build !wasm

package state

// Host is memory outside a guest.
func Host() Store { return Memory{} }
