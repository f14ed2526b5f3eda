package wasm

import (
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// What embedders need from the layers below, so that they import this package only.
type (
	// Type is a resolved value type.
	Type = binary.Type
	// FuncType is a function type.
	FuncType = binary.Func
	// Resource is the identity of a resource type.
	Resource = binary.Resource

	// Record is a record value.
	Record = canon.Record
	// Named is a field of a Record.
	Named = canon.Named
	// Variant is a case of a variant or enum.
	Variant = canon.Variant
	// Option is an option value.
	Option = canon.Option
	// Result is a result value.
	Result = canon.Result
	// Flags is a set of flags.
	Flags = canon.Flags
	// Handle is a resource at the border.
	Handle = canon.Handle

	// HostFunc is a function offered to guests.
	HostFunc = link.Func
	// Hosts is everything offered to guests.
	Hosts = link.Hosts
	// Interface is a named set of functions offered to guests.
	Interface = link.Interface
	// Call is what a host function sees of the invocation.
	Call = link.Call
	// Stats is what an invocation used.
	Stats = link.Stats
	// MissingImport is the cause of an error of Bind.
	MissingImport = link.MissingImport
	// Trap is why a guest trapped.
	Trap = link.Trap
)

// Some is the option that holds v.
func Some(v any) Option { return canon.Some(v) }

// OK is the successful result with payload v (nil for none).
func OK(v any) Result { return canon.OK(v) }

// Err is the failed result with payload v (nil for none).
func Err(v any) Result { return canon.Err(v) }
