//go:build !wasm

package guest

// aligned is n zeroed bytes; outside a guest alignment does not matter.
func aligned(n uint32) []byte { return make([]byte, n) }

// Serve does nothing outside a guest, where the tests run.
func Serve(*Node) {}
