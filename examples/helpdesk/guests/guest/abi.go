//go:build wasm

package guest

import (
	"runtime/debug"
	"unsafe"
)

// The runtime of this guest: one node, one arena, one call at a time.
var (
	serving *Node
	shared  = &Arena{blocks: map[uint32][]byte{}, addr: func(b []byte) uint32 {
		return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	}}
)

// reserve begins with ReserveMark, so that it has a place among the module's data. Go never
// touches it.
var reserve = [ReserveSize]byte{'a', 'd', 'a', 'p', 't', 'e', 'r', ' ', 'm', 'e', 'm', 'o', 'r', 'y', ' ', 'o', 'f', ' ', 't', 'h', 'i', 's', ' ', 'g', 'u', 'e', 's', 't'}

// Serve makes n the component. Call it once, from init: a reactor has no main. It turns the
// collector off (docs/decisions/0015): the host writes through realloc, where a component must
// not call out, and a collection, or a heap that grows before there was one, reads the clock.
func Serve(n *Node) {
	debug.SetGCPercent(-1)
	if reserve[0] != ReserveMark[0] {
		panic("guest: the reserve of the adapter was overwritten")
	}
	serving = n
}

// Shared is the memory of the running call, for packages that import host functions.
func Shared() *Arena { return shared }

// aligned is n zeroed bytes on an 8-byte boundary.
func aligned(n uint32) []byte {
	words := make([]uint64, (uint64(n)+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// The componentiser takes these for cabi_realloc of exports and imports. The plain name would
// also be used by the preview-1 adapter, before the Go runtime is up.

//go:wasmexport cabi_export_realloc
func exportRealloc(old, _, _, size uint32) uint32 { return shared.Grow(old, size) }

//go:wasmexport cabi_import_realloc
func importRealloc(old, _, _, size uint32) uint32 { return shared.Grow(old, size) }

//go:wasmexport greentic:component/node@0.6.0#describe
func describe() uint32 { return serving.describe(shared) }

//go:wasmexport cabi_post_greentic:component/node@0.6.0#describe
func describePost(uint32) { shared.Free() }

//go:wasmexport greentic:component/node@0.6.0#invoke
func invoke(args uint32) uint32 { return serving.invoke(shared, args) }

//go:wasmexport cabi_post_greentic:component/node@0.6.0#invoke
func invokePost(uint32) { shared.Free() }
