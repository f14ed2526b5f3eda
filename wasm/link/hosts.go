package link

import (
	"context"

	"greentic.dev/wasm/binary"
)

// Func is a host function: reflected arguments in (see package canon for the value forms),
// one reflected result out (nil when the function has none). A non-nil error traps the guest
// with that error as cause; failures the WIT describes are values (canon.Err), not errors.
// It must return soon after ctx is done. The arguments are owned by the function; the slice they
// come in is used again when it has returned.
type Func func(ctx context.Context, call *Call, args []any) (any, error)

// Call is what a host function sees of the invocation that called it. One Call serves one
// invocation, on one goroutine at a time.
type Call struct {
	Data   any          // Invocation.Data, for the embedder
	System any          // the WASI state of this invocation; only package wasi looks at it
	Type   *binary.Func // the type of the function being called, as the guest imports it
}

// Interface is a set of host functions and resources under one name such as
// "wasi:io/streams@0.2.0".
type Interface struct {
	Name      string
	Funcs     map[string]Func                                           // by WIT name: "send", "[method]output-stream.write"
	Resources map[string]func(ctx context.Context, call *Call, rep any) // destructor by resource name; may be nil

	// Quick says that its functions never wait: the time they take counts as the guest's.
	Quick bool

	// Fixed says whether what stands behind a handle holds nothing of one invocation, so that
	// the handle may be part of an image. An interface that has it may be called while an
	// image is made (see Birth): its functions then show the guest nothing but Call.System.
	// Only resources without a destructor are asked about.
	Fixed func(rep any) bool
}

// Dropper is a value behind a handle to a host resource that takes part in its own end. Dropped
// is called once, when the guest drops its handle or, in no particular order, for the handles
// that are left when the invocation ends; the destructor of the interface is not called then. If
// the guest dropped it, an error traps the guest: for values that must outlive others.
type Dropper interface{ Dropped() error }

// Hosts is everything a binding may import. Interfaces whose package is wasi are matched by
// semver-compatible version (0.2.x satisfies 0.2.y); all others by exact name, or by line when
// the component names no more ("a:b/c@1"). The zero value
// satisfies nothing. Fill it before Bind; it must not change afterwards.
type Hosts struct {
	interfaces map[string]*Interface
	// TrapMissing makes imports that nothing satisfies trap when called instead of failing
	// Bind: for reading a self-description without granting anything.
	TrapMissing bool
}

// Add registers an interface, replacing one of the same name.
func (h *Hosts) Add(i *Interface) {
	if h.interfaces == nil {
		h.interfaces = make(map[string]*Interface)
	}
	h.interfaces[i.Name] = i
}
