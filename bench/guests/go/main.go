//go:build wasip1

// Command go is the standard-Go guest of the measurements: bench:guest/calls@1.0.0, without a
// framework, so that what is measured is the host and Go itself.
package main

import (
	"runtime/debug"
	"unsafe"
)

// The preview-1 adapter lives in a reserve among the module's data, which build/componentise
// finds by this mark (docs/decisions/0013).
var reserve = [2<<16 + 64]byte{'a', 'd', 'a', 'p', 't', 'e', 'r', ' ', 'm', 'e', 'm', 'o', 'r', 'y', ' ', 'o', 'f', ' ', 't', 'h', 'i', 's', ' ', 'g', 'u', 'e', 's', 't'}

// The host writes arguments through realloc, during which a component may not call out. Go reads
// the clock when it collects garbage or grows the heap before it ever collected; without a
// collector it does neither, and the host puts memory back after each call.
func init() {
	debug.SetGCPercent(-1)
	if reserve[0] != 'a' {
		panic("the reserve of the adapter was overwritten")
	}
}

func main() {}

// What the host was given and gave back, alive until post-return.
var (
	blocks [][]byte
	result [2]uint32 // address and length of a list
)

//go:wasmimport bench:guest/host@1.0.0 tick
func tick(x uint32) uint32

//go:wasmexport bench:guest/calls@1.0.0#noop
func noop() {}

//go:wasmexport bench:guest/calls@1.0.0#hostcalls
func hostcalls(n uint32) {
	for i := range n {
		tick(i)
	}
}

// echo answers with the buffer it was given.
//
//go:wasmexport bench:guest/calls@1.0.0#echo
func echo(p, n uint32) uint32 {
	result = [2]uint32{p, n}
	return uint32(uintptr(unsafe.Pointer(&result)))
}

//go:wasmexport cabi_post_bench:guest/calls@1.0.0#echo
func echoed(uint32) { blocks = nil }

// The componentiser takes these for cabi_realloc of exports and imports; the plain name would
// also be used by the adapter, before the Go runtime is up.

//go:wasmexport cabi_export_realloc
func exportRealloc(old, _, _, size uint32) uint32 { return grow(old, size) }

//go:wasmexport cabi_import_realloc
func importRealloc(old, _, _, size uint32) uint32 { return grow(old, size) }

// grow gives size bytes, never what was at old: lists of bytes are not moved.
func grow(old, size uint32) uint32 {
	if old != 0 {
		panic("nothing is moved here")
	}
	b := make([]byte, max(size, 1))
	blocks = append(blocks, b)
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}
