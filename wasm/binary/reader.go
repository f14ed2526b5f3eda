package binary

import (
	"fmt"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
)

// reader walks a byte slice and remembers the first failure: after it every read gives zero
// values, so that decoders check once at the end of a definition.
type reader struct {
	buf  []byte
	pos  int
	base int // offset of buf[0] in the whole file
	lim  *limits
	err  error
}

func (r *reader) offset() int { return r.base + r.pos }

func (r *reader) fail(kind fault.Kind, format string, args ...any) {
	if r.err == nil {
		r.err = errAt(r.offset(), kind, format, args...)
	}
}

func errAt(offset int, kind fault.Kind, format string, args ...any) error {
	return fault.New(kind, fmt.Sprintf("component offset %#x", offset), fmt.Sprintf(format, args...))
}

func (r *reader) bad(format string, args ...any) { r.fail(fault.Invalid, format, args...) }

func (r *reader) unsupported(what string) {
	r.fail(fault.Unsupported, "%s is not supported by this host", what)
}

func (r *reader) rest() int { return len(r.buf) - r.pos }

func (r *reader) more() bool { return r.err == nil && r.pos < len(r.buf) }

func (r *reader) byte() byte {
	if r.err != nil {
		return 0
	}
	if r.pos >= len(r.buf) {
		r.bad("unexpected end")
		return 0
	}
	b := r.buf[r.pos]
	r.pos++
	return b
}

// peek returns the next byte without taking it, or 0 at the end.
func (r *reader) peek() byte {
	if r.err != nil || r.pos >= len(r.buf) {
		return 0
	}
	return r.buf[r.pos]
}

func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			if v > 1<<32-1 {
				r.bad("integer does not fit 32 bits")
			}
			return uint32(v)
		}
	}
	r.bad("integer is longer than 5 bytes")
	return 0
}

// s33 reads the signed form that separates type codes (negative) from indexes.
func (r *reader) s33() int64 {
	var v int64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			if v > 1<<32-1 || v < -(1<<32) {
				r.bad("integer does not fit 33 bits")
			}
			return v
		}
	}
	r.bad("integer is longer than 5 bytes")
	return 0
}

func (r *reader) take(n uint32) []byte {
	if r.err != nil {
		return nil
	}
	if uint64(n) > uint64(r.rest()) {
		r.bad("length %d exceeds the %d bytes left", n, r.rest())
		return nil
	}
	b := r.buf[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// sub gives a reader over the next n bytes, with the same limits.
func (r *reader) sub(n uint32) *reader {
	base := r.offset()
	return &reader{buf: r.take(n), base: base, lim: r.lim, err: r.err}
}

// count reads a vector length. Every element takes at least one byte, so a claim beyond the
// bytes left is refused before anything is allocated.
func (r *reader) count(what string) int {
	n := r.u32()
	if r.err == nil && uint64(n) > uint64(r.rest()) {
		r.bad("%d %s are claimed but %d bytes are left", n, what, r.rest())
	}
	if r.err == nil && !r.lim.spend(int(n)) {
		r.fail(fault.Exhausted, "more than %d definitions", r.lim.Definitions)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) name() string {
	n := r.u32()
	if r.err == nil && int64(n) > int64(r.lim.Name) {
		r.fail(fault.Exhausted, "name of %d bytes, at most %d are allowed", n, r.lim.Name)
	}
	b := r.take(n)
	if !utf8.Valid(b) {
		r.bad("name is not UTF-8")
		return ""
	}
	return string(b)
}

// vec decodes a vector of definitions.
func vec[T any](r *reader, what string, one func(*reader) T) []T {
	n := r.count(what)
	if n == 0 {
		return nil
	}
	out := make([]T, 0, min(n, 1024))
	for i := 0; i < n && r.err == nil; i++ {
		out = append(out, one(r))
	}
	return out
}

// optional decodes <T>?.
func optional[T any](r *reader, one func(*reader) T) *T {
	switch b := r.byte(); b {
	case 0:
		return nil
	case 1:
		v := one(r)
		return &v
	default:
		r.bad("option flag %#x", b)
		return nil
	}
}
