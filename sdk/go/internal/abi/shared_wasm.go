package abi

import (
	"unsafe"
)

// The memory of the running call; a component runs one at a time.
var shared = &Arena{addr: func(b []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}}

// reserve begins with ReserveMark, so that it has a place among the module's data. Go never touches the part of the
// adapter.
var reserve = [ReserveSize + 16 + HandoverSize]byte{'h', 'a', 'n', 'd', 'o', 'v', 'e', 'r', ' ', 'm', 'e', 'm', 'o', 'r', 'y', ' ', 'o', 'f', ' ', 't', 'h', 'i', 's', ' ', 'g', 'u', 'e', 's', 't'}

// Shared is the memory of the running call.
func Shared() *Arena { return shared }

// Start readies the memory. It turns the collector off: the host writes through realloc, where a
// component must not call out, and a collection, or a heap that grows before there was one, reads
// the clock. The host puts memory back after each call, so garbage lives no longer than one call.
func Start() {
	setGCPercent(-1)
	shared.blocks = make([]block, 0, 32)
	if reserve[0] != ReserveMark[0] {
		panic("the reserve of the adapter was overwritten")
	}
	base := uint32(uintptr(unsafe.Pointer(&reserve)))
	begin := (base+ReserveSize+15)&^15 - base
	shared.handover, shared.handoverAt = reserve[begin:begin+HandoverSize], base+begin
}

// aligned is n zeroed bytes on an 8-byte boundary.
func aligned(n uint32) []byte {
	words := make([]uint64, (uint64(n)+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// The componentiser puts its own functions before these: realloc comes here only for what has no room in handover, and
// the post-returns of package greentic never. The plain name cabi_realloc would also be used by the preview-1
// adapter, before the Go runtime is up.

//go:wasmexport cabi_export_realloc
func exportRealloc(old, _, _, size uint32) uint32 { return shared.Grow(old, size) }

//go:wasmexport cabi_import_realloc
func importRealloc(old, _, _, size uint32) uint32 { return shared.Grow(old, size) }

// setGCPercent is runtime/debug.SetGCPercent, without that package: it brings files and clocks, 380 KB of
// code.
//
//go:linkname setGCPercent runtime/debug.setGCPercent
func setGCPercent(int32) int32
