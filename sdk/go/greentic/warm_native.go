//go:build !wasm

package greentic

func warm(*Registered) {}
