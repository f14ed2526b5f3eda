package greentic

import (
	"runtime"
	"unsafe"

	"greentic.dev/sdk/go/internal/abi"
)

// What a component imports of the host. The linker keeps only what is used, so a component imports, and
// its manifest declares, what it calls. Functions with more values than fit in core parameters take
// them in memory.

//go:wasmimport greentic:component/control@0.6.0 should-cancel
func importCancelled() uint32

//go:wasmimport greentic:secrets-store/secrets-store@1.0.0 get
func importSecret(key unsafe.Pointer, n uint32, result unsafe.Pointer)

//go:wasmimport greentic:state/state-store@1.0.0 read
func importStateRead(args, result unsafe.Pointer)

//go:wasmimport greentic:state/state-store@1.0.0 write
func importStateWrite(args, result unsafe.Pointer)

//go:wasmimport greentic:state/state-store@1.0.0 delete
func importStateDelete(args, result unsafe.Pointer)

//go:wasmimport greentic:http/http-client@1.1.0 send
func importSend(args, result unsafe.Pointer)

//go:wasmimport greentic:telemetry/logger-api@1.0.0 log
func importLog(args, result unsafe.Pointer)

const (
	sizeContext  = 320 // at least option<tenant-ctx>, which is always none here: the host knows
	sizeSecret   = 16  // result<option<list<u8>>, secrets-error>
	sizeState    = 20  // result<list<u8>, host-error>, and with op-ack
	sizeRequest  = 56  // request and option<request-options>, aligned for a tenant-ctx
	sizeResponse = 28  // result<response, host-error>
	sizeLog      = 88  // span-context and fields
)

// call passes two records by address and keeps them alive meanwhile.
func call(f func(args, result unsafe.Pointer), args, result *abi.Writer) {
	f(args.Pointer(), result.Pointer())
	runtime.KeepAlive(args)
	runtime.KeepAlive(result)
}

// refusal reads a host-error.
func refusal(r *abi.Reader) *Error {
	code := r.String()
	return &Error{Code: code, Message: r.String()}
}

func hostCancelled() bool { return importCancelled() != 0 }

// hostSecret answers the value, or the case of secrets-error in snake_case.
func hostSecret(key string) ([]byte, string) {
	a := abi.Shared()
	result := a.Write(sizeSecret)
	importSecret(unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), result.Pointer())
	runtime.KeepAlive(key)
	r := a.Read(result.Addr(), sizeSecret)
	if r.Tag(4) == 1 {
		return nil, [...]string{"not_found", "denied", "invalid_key", "internal"}[r.Tag(1)&3]
	}
	if r.Tag(4) == 0 {
		return nil, "not_found"
	}
	return r.Bytes(), ""
}

func hostStateRead(key string) ([]byte, bool, *Error) {
	a := abi.Shared()
	args, result := a.Write(8+sizeContext), a.Write(sizeState)
	args.String(key)
	call(importStateRead, args, result)
	r := a.Read(result.Addr(), sizeState)
	if r.Tag(4) == 0 {
		return r.Bytes(), true, nil
	}
	if err := refusal(r); err.Code != "not_found" {
		return nil, false, err
	}
	return nil, false, nil
}

func hostStateWrite(key string, text []byte) *Error {
	a := abi.Shared()
	args, result := a.Write(16+sizeContext), a.Write(sizeState)
	args.String(key)
	args.Bytes(text)
	call(importStateWrite, args, result)
	return acknowledged(a.Read(result.Addr(), sizeState))
}

func hostStateDelete(key string) *Error {
	a := abi.Shared()
	args, result := a.Write(8+sizeContext), a.Write(sizeState)
	args.String(key)
	call(importStateDelete, args, result)
	return acknowledged(a.Read(result.Addr(), sizeState))
}

func acknowledged(r *abi.Reader) *Error {
	if r.Tag(4) == 0 {
		return nil
	}
	return refusal(r)
}

func writePairs(w *abi.Writer, pairs [][2]string) {
	w.List(len(pairs), 16, func(w *abi.Writer, i int) {
		w.String(pairs[i][0])
		w.String(pairs[i][1])
	})
}

func hostSend(q *Request) (*Response, *Error) {
	a := abi.Shared()
	args, result := a.Write(sizeRequest+sizeContext), a.Write(sizeResponse)
	args.String(q.Method)
	args.String(q.URL)
	writePairs(args, q.Header)
	if q.Body == nil {
		args.Skip(12, 4)
	} else {
		args.Tag(1, 4)
		args.Bytes(q.Body)
	}
	if ms := int64(q.TimeoutMS); ms > 0 || q.KeepRedirects || q.AllowInsecure {
		args.Tag(1, 4)
		if ms > 0 {
			args.Tag(1, 4)
			args.U32(uint32(min(ms, 1<<32-1)))
		} else {
			args.Skip(8, 4)
		}
		args.Bool(q.AllowInsecure)
		args.Bool(q.AllowInsecure)
		args.Bool(q.KeepRedirects)
		args.Bool(false)
	}
	call(importSend, args, result)
	r := a.Read(result.Addr(), sizeResponse)
	if r.Tag(4) == 1 {
		return nil, refusal(r)
	}
	answer := &Response{Status: int(r.U32() & 0xffff)}
	at, n := r.U32(), r.U32()
	for list := a.Read(at, n*16); n > 0; n-- {
		name := list.String()
		answer.Header = append(answer.Header, [2]string{name, list.String()})
	}
	if r.Tag(4) == 1 {
		answer.Body = r.Bytes()
	}
	return answer, nil
}

// hostLog drops what the host refuses: a log line is no reason to fail.
func hostLog(c *Context, pairs [][2]string) {
	a := abi.Shared()
	args, result := a.Write(sizeLog+sizeContext), a.Write(sizeState)
	args.String(c.Tenant.ID)
	args.OptString("") // the session
	args.String(c.Flow)
	args.OptString(c.Node)
	args.String(c.Component)
	args.Skip(32, 8) // start and end
	writePairs(args, pairs)
	call(importLog, args, result)
}
