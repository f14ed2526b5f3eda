//go:build wasm

package state

import (
	"runtime"
	"unsafe"

	"greentic.dev/examples/helpdesk/guests/guest"
	"greentic.dev/examples/helpdesk/guests/value"
)

// Host is the state the host keeps for this component.
func Host() Store { return host{} }

type host struct{}

// The functions take more values than fit in core parameters, so the arguments lie in memory.

//go:wasmimport greentic:state/state-store@1.0.0 read
func hostRead(args, result unsafe.Pointer)

//go:wasmimport greentic:state/state-store@1.0.0 write
func hostWrite(args, result unsafe.Pointer)

const (
	sizeContext = 320 // at least option<tenant-ctx>, which is always none here
	sizeResult  = 20  // result<list<u8>, host-error>, and with op-ack
)

// Read gives the value the host keeps under key, or nil.
func (host) Read(key string) (any, error) {
	a := guest.Shared()
	args, result := a.Write(8+sizeContext), a.Write(sizeResult)
	args.String(key)
	call(hostRead, args, result)
	r := a.Read(result.Addr(), sizeResult)
	if r.Tag(4) == 1 {
		code, message := r.String(), r.String()
		if code == "not_found" {
			return nil, nil
		}
		return nil, &guest.Fail{Code: code, Message: "state read " + key + ": " + message}
	}
	text := r.Bytes()
	if len(text) == 0 {
		return nil, nil
	}
	v, err := value.FromJSON(text)
	if err != nil {
		return nil, &guest.Fail{Code: "internal", Message: "state read " + key + ": " + err.Error()}
	}
	return v, nil
}

// Write keeps v under key.
func (host) Write(key string, v any) error {
	text, err := value.ToJSON(v)
	if err != nil {
		return &guest.Fail{Code: "internal", Message: "state write " + key + ": " + err.Error()}
	}
	a := guest.Shared()
	args, result := a.Write(16+sizeContext), a.Write(sizeResult)
	args.String(key)
	args.Bytes(text)
	call(hostWrite, args, result)
	if r := a.Read(result.Addr(), sizeResult); r.Tag(4) == 1 {
		code, message := r.String(), r.String()
		return &guest.Fail{Code: code, Message: "state write " + key + ": " + message, Retryable: code == "unavailable"}
	}
	return nil
}

// call passes the two records by address and keeps them alive meanwhile.
func call(f func(args, result unsafe.Pointer), args, result *guest.Writer) {
	f(args.Pointer(), result.Pointer())
	runtime.KeepAlive(args)
	runtime.KeepAlive(result)
}
