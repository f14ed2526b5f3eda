package canon

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
)

// utf16Tag marks the length of a latin1+utf16 string that is stored as UTF-16.
const utf16Tag = 1 << 31

// text reads a string (spec: load_string_from_range). Its cost is charged before it is made.
func (l *lifter) text(ptr, units uint32) (any, error) {
	align, size, wide := uint32(1), uint64(units), false
	switch l.env.encoding() {
	case UTF16:
		align, size, wide = 2, 2*uint64(units), true
	case CompactUTF16:
		align = 2
		if units&utf16Tag != 0 {
			size, wide = 2*uint64(units&^utf16Tag), true
		}
	}
	if size > maxByteLength {
		return nil, trapf("string of %d bytes is longer than %d", size, maxByteLength)
	}
	if err := l.check(ptr, align, size); err != nil {
		return nil, err
	}
	raw := l.mem[ptr : uint64(ptr)+size]
	switch {
	case wide:
		return l.fromUTF16(raw)
	case align == 2:
		return l.fromLatin1(raw)
	}
	if err := l.env.charge(size); err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) {
		return nil, trapf("string is not valid UTF-8")
	}
	return string(raw), nil
}

func (l *lifter) fromLatin1(raw []byte) (any, error) {
	n := len(raw)
	for _, c := range raw {
		n += int(c >> 7)
	}
	if err := l.env.charge(uint64(n)); err != nil {
		return nil, err
	}
	b := make([]byte, 0, n)
	for _, c := range raw {
		b = utf8.AppendRune(b, rune(c))
	}
	return string(b), nil
}

func (l *lifter) fromUTF16(raw []byte) (any, error) {
	n := 0
	for rest := raw; len(rest) > 0; {
		r, w := decode16(rest)
		if w == 0 {
			return nil, trapf("string is not valid UTF-16")
		}
		n += utf8.RuneLen(r)
		rest = rest[w:]
	}
	if err := l.env.charge(uint64(max(n, len(raw)))); err != nil {
		return nil, err
	}
	b := make([]byte, 0, n)
	for rest := raw; len(rest) > 0; {
		r, w := decode16(rest)
		b = utf8.AppendRune(b, r)
		rest = rest[w:]
	}
	return string(b), nil
}

// decode16 reads one code point; width 0 is a lone surrogate.
func decode16(b []byte) (r rune, width int) {
	r = rune(binary.LittleEndian.Uint16(b))
	if !utf16.IsSurrogate(r) {
		return r, 2
	}
	if len(b) >= 4 {
		if r = utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(b[2:]))); r != utf8.RuneError {
			return r, 4
		}
	}
	return 0, 0
}

// text writes a string and returns pointer and (tagged) length (spec: store_string_into_range).
// Where the source has the encoding of the target, one allocation suffices.
func (l *lowerer) text(s string) (ptr, units uint32, err error) {
	if len(s) > maxByteLength {
		return 0, 0, &failure{kind: fault.Exhausted, msg: "string is longer than 268435455 bytes"}
	}
	if !utf8.ValidString(s) {
		return 0, 0, wrongValue("string is not valid UTF-8")
	}
	encoding := l.env.encoding()
	if from := l.env.From; from != nil && *from != encoding {
		return l.transcode(s, *from, encoding)
	}
	return l.copied(s, encoding)
}

// copied writes a string into exactly the room it needs (spec: store_string_copy).
func (l *lowerer) copied(s string, encoding Encoding) (ptr, units uint32, err error) {
	if encoding == UTF8 {
		if ptr, err = l.alloc(1, uint64(len(s))); err == nil {
			copy(l.mem[ptr:], s)
		}
		return ptr, uint32(len(s)), err
	}
	n, latin1 := measure16(s)
	if latin1 && encoding == CompactUTF16 {
		if ptr, err = l.alloc(2, uint64(n)); err != nil {
			return 0, 0, err
		}
		i := ptr
		for _, r := range s {
			l.mem[i] = byte(r)
			i++
		}
		return ptr, uint32(n), nil
	}
	if ptr, err = l.alloc(2, 2*uint64(n)); err != nil {
		return 0, 0, err
	}
	l.put16(ptr, s)
	if encoding == CompactUTF16 {
		return ptr, uint32(n) | utf16Tag, nil
	}
	return ptr, uint32(n), nil
}

// measure16 counts the code units of s in UTF-16 and says whether it is all Latin-1.
func measure16(s string) (units int, latin1 bool) {
	latin1 = true
	for _, r := range s {
		units += utf16.RuneLen(r)
		latin1 = latin1 && r <= 0xff
	}
	return units, latin1
}

func (l *lowerer) put16(ptr uint32, s string) {
	b := l.mem[ptr:ptr]
	for _, r := range s {
		if r < 0x10000 {
			b = binary.LittleEndian.AppendUint16(b, uint16(r))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		b = binary.LittleEndian.AppendUint16(b, uint16(hi))
		b = binary.LittleEndian.AppendUint16(b, uint16(lo))
	}
}

func (e *Env) encoding() Encoding {
	if e.Opt == nil {
		return UTF8
	}
	return e.Opt.Encoding
}
