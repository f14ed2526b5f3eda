package canon

import (
	"fmt"
	"math"
	"strconv"

	"greentic.dev/greentic/fault"
)

// TrapCode is the fault code of everything a guest did against the canonical ABI.
const TrapCode = "abi_trap"

// failure is an error on its way up: every level adds its part of the path.
type failure struct {
	kind fault.Kind
	code string
	path string // "args[1].ctx.tenant-id"
	msg  string
	err  error
}

func (f *failure) Error() string {
	switch {
	case f.err != nil:
		return f.err.Error()
	case f.path != "":
		return f.path + ": " + f.msg
	}
	return f.msg
}

// trapf is a violation by the guest.
func trapf(format string, args ...any) error {
	return &failure{kind: fault.Invalid, code: TrapCode, msg: fmt.Sprintf(format, args...)}
}

// wrongType is a host value that does not fit its type.
func wrongType(want string, got any) error {
	if got == nil {
		return wrongValue("want %s, got nil", want)
	}
	return wrongValue("want %s, got %T", want, got)
}

func wrongValue(format string, args ...any) error {
	return &failure{kind: fault.Invalid, msg: fmt.Sprintf(format, args...)}
}

// within says that err happened inside the named part of a value.
func within(err error, part string) error {
	f, ok := err.(*failure)
	if !ok {
		f = &failure{err: err}
	}
	if f.path != "" && f.path[0] != '[' {
		f.path = part + "." + f.path
	} else {
		f.path = part + f.path
	}
	return f
}

func index(of string, i int) string { return of + "[" + strconv.Itoa(i) + "]" }

// report turns a failure into the fault that leaves the package. A nil err gives nil.
func report(op string, err error) error {
	if err == nil {
		return nil
	}
	f, ok := err.(*failure)
	if !ok {
		return fault.Wrap(op, err)
	}
	if f.err != nil { // a failed realloc: kind and code are its own
		return fault.Wrap(op+" "+f.path, f.err)
	}
	return &fault.Error{Kind: f.kind, Op: op, Msg: f.Error(), Code: f.code}
}

// checkRange traps unless size bytes at ptr are aligned and inside memory.
func checkRange(mem []byte, ptr, align uint32, size uint64) error {
	if ptr&(align-1) != 0 {
		return trapf("pointer %#x is not aligned to %d", ptr, align)
	}
	if end := uint64(ptr) + size; size > math.MaxUint32 || end > uint64(len(mem)) {
		return trapf("%d bytes at %#x are outside the memory of %d bytes", size, ptr, len(mem))
	}
	return nil
}
