package rewrite

import (
	"strconv"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
)

// failure is how parsing ends early; it never leaves the package.
type failure struct{ err *fault.Error }

// reader walks bytes and fails with the offset in the module.
type reader struct {
	b    []byte
	pos  int
	base int // offset of b in the module

	locals int // of the function whose body this is
}

func (r *reader) fail(kind fault.Kind, format string, args ...any) {
	err := fault.Newf(kind, "core module", format, args...)
	err.Msg += " at offset " + strconv.Itoa(r.base+r.pos)
	panic(failure{err})
}

func (r *reader) invalid(format string, args ...any)     { r.fail(fault.Invalid, format, args...) }
func (r *reader) unsupported(format string, args ...any) { r.fail(fault.Unsupported, format, args...) }

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.tooShort()
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *reader) tooShort() { r.invalid("the module ends too early") }

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b)-r.pos {
		r.tooShort()
	}
	r.pos += n
	return r.b[r.pos-n : r.pos]
}

// u32 reads an unsigned LEB128 of at most 32 bits. Nearly all are of one byte.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	return r.longU32()
}

func (r *reader) longU32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 0xffffffff {
				break
			}
			return uint32(v)
		}
	}
	r.invalid("a number is longer than 32 bits")
	return 0
}

// s64 skips a signed LEB128 of at most bits bits and returns its value.
func (r *reader) s64(bits int) int64 {
	var v int64
	for shift := 0; shift < bits+6; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift+7 < 64 && b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.invalid("a number is longer than %d bits", bits)
	return 0
}

// count reads the length of a vector whose items take at least one byte each.
func (r *reader) count(what string, limit int) int {
	n := r.u32()
	if int64(n) > int64(limit) {
		r.fail(fault.Exhausted, "%d %s, at most %d are allowed", n, what, limit)
	}
	if int(n) > len(r.b)-r.pos {
		r.invalid("%d %s do not fit into the rest of the section", n, what)
	}
	return int(n)
}

// name reads a name, which is UTF-8 (core specification 5.2.4).
func (r *reader) name() string {
	n := r.take(r.count("bytes of a name", 1<<20))
	if !utf8.Valid(n) {
		r.invalid("a name is not UTF-8")
	}
	return string(n)
}

func (r *reader) sub(n int) *reader {
	base := r.base + r.pos
	return &reader{b: r.take(n), base: base}
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, s string) []byte {
	return append(appendU32(b, uint32(len(s))), s...)
}
