package componentise

import (
	"bytes"
	"encoding/binary"
	"strings"

	"greentic.dev/greentic/fault"
)

// The reserve of package abi of sdk/go: memory of the guest's own. The first part is for the preview-1 adapter,
// instead of growing the memory, which Go would take for its own (docs/decisions/0013). Behind it, on a 16-byte boundary, the
// SDK has a second part where what the host hands over is put (docs/decisions/0032): a word that counts the bytes in use,
// a word that is set when a call has ended, and behind the header those bytes.
const (
	reserveMark   = "adapter memory of this guest"
	reserveSize   = 2<<16 + 64
	handoverMark  = "handover memory of this guest"
	handoverSize  = 1 << 16
	handoverBegin = 16
	reserved      = "cabi_realloc_adapter"
)

// Section ids of a core module.
const (
	secType     = 1
	secImport   = 2
	secFunction = 3
	secGlobal   = 6
	secExport   = 7
	secCode     = 10
	secData     = 11
)

// section is one section of a module.
type section struct {
	id   byte
	body []byte
}

const magic = "\x00asm\x01\x00\x00\x00"

func errForm() error {
	return fault.New(fault.Invalid, "core module", "it is no module as the Go compiler writes it")
}

// split cuts a core module into its sections.
func split(code []byte) ([]section, error) {
	b, ok := bytes.CutPrefix(code, []byte(magic))
	if !ok {
		return nil, errForm()
	}
	var all []section
	for len(b) > 0 {
		id := b[0]
		n, rest, err := leb(b[1:])
		if err != nil || uint64(n) > uint64(len(rest)) {
			return nil, errForm()
		}
		all = append(all, section{id, rest[:n]})
		b = rest[n:]
	}
	return all, nil
}

// withReserve is the module with the export cabi_realloc_adapter, a bump allocator over the reserve, and with a
// function before its realloc that serves small blocks without entering Go.
func withReserve(sections []section) ([]byte, error) {
	body := map[byte][]byte{}
	for _, s := range sections {
		if s.id != 0 {
			body[s.id] = s.body
		}
	}
	if bytes.Contains(body[secExport], []byte(reserved)) {
		return nil, fault.New(fault.Invalid, "core module", "it exports "+reserved+" already")
	}
	reserve, shared, err := find(body[secData])
	if err != nil {
		return nil, err
	}
	begin := (reserve + uint32(max(len(reserveMark), len(handoverMark))) + 15) &^ 15
	end := reserve + reserveSize

	types, functions, globals := count(body[secType]), count(body[secFunction]), count(body[secGlobal])
	imports := count(body[secImport]) // Go imports only functions
	if imports < 0 || types < 0 || functions < 0 || globals < 0 {
		return nil, errForm()
	}
	next := uint32(imports + functions) // index of the first function added
	added := map[byte][][]byte{
		secType:     {{0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f}}, // (i32 i32 i32 i32) -> i32
		secFunction: {uleb(nil, uint32(types))},
		secGlobal:   {append(constant([]byte{0x7f, 1}, begin), 0x0b)}, // mutable i32
		secExport:   {uleb(append([]byte{byte(len(reserved))}, reserved+"\x00"...), next)},
		secCode:     {allocator(uint32(globals), end)},
	}
	if shared {
		exports, inner, err := redirected(body[secExport], next+1)
		if err != nil {
			return nil, err
		}
		region := (end + 15) &^ 15
		body[secExport] = exports
		added[secType] = append(added[secType], []byte{0x60, 1, 0x7f, 0}) // (i32) -> ()
		added[secFunction] = append(added[secFunction], uleb(nil, uint32(types)), uleb(nil, uint32(types+1)))
		added[secCode] = append(added[secCode], handover(region, inner), ended(region))
	}
	out := []byte(magic)
	for _, s := range sections {
		if s.id == secExport {
			s.body = body[secExport]
		}
		for _, item := range added[s.id] {
			if s.body, err = grow(s.body, item); err != nil {
				return nil, err
			}
		}
		out = append(uleb(append(out, s.id), uint32(len(s.body))), s.body...)
	}
	return out, nil
}

// redirected is an export section whose realloc exports name the function to and whose post-returns the one after,
// and which function was realloc. Both reallocs are one function of the SDK's, and so are all post-returns.
func redirected(body []byte, to uint32) (out []byte, realloc uint32, err error) {
	n, b, err := leb(body)
	if err != nil {
		return nil, 0, err
	}
	found := false
	out = uleb(nil, n)
	for ; n > 0; n-- {
		export, rest, err := name(b)
		if err != nil || len(rest) < 1 {
			return nil, 0, errForm()
		}
		index, after, err := leb(rest[1:])
		if err != nil {
			return nil, 0, err
		}
		out = append(out, b[:len(b)-len(rest)+1]...)
		switch {
		case export == "cabi_export_realloc", export == "cabi_import_realloc":
			if !found {
				realloc, found = index, true
			}
			index = to
		case strings.HasPrefix(export, "cabi_post_"):
			index = to + 1
		}
		out, b = uleb(out, index), after
	}
	if !found {
		return nil, 0, errForm()
	}
	return out, realloc, nil
}

// ended is the body of the function after a call: nothing is in use, and the SDK may forget.
func ended(region uint32) []byte {
	f := constant([]byte{0}, region)
	f = append(f, 0x42)                         // i64.const
	f = append(f, 0x80, 0x80, 0x80, 0x80, 0x10) // 1<<32
	f = append(f, 0x37, 3, 0, 0x0b)             // i64.store
	return append(uleb(nil, uint32(len(f))), f...)
}

// handover is the body of the function before realloc: while there is room at region, a new block is the next
// bytes there; everything else is the SDK's.
func handover(region, inner uint32) []byte {
	f := []byte{1, 1, 0x7f} // one local: bytes in use
	f = append(f, 0x20, 0, 0x45, 0x20, 3)
	f = constant(f, handoverSize-handoverBegin)
	f = append(f, 0x4d, 0x71, 0x04, 0x40) // if old is 0 and the size is no more than there is at all
	f = constant(f, region)
	f = append(f, 0x28, 2, 0, 0x22, 4, 0x20, 3, 0x6a) // used, plus size
	f = constant(f, handoverSize-handoverBegin)
	f = append(f, 0x4d, 0x04, 0x40) // if that fits
	f = constant(f, region)
	f = append(f, 0x20, 4, 0x20, 3, 0x6a)
	f = constant(f, 7)
	f = append(f, 0x6a)
	f = constant(f, ^uint32(7))
	f = append(f, 0x71, 0x36, 2, 0) // used becomes that, on an 8-byte boundary
	f = append(f, 0x20, 4)
	f = constant(f, region+handoverBegin)
	f = append(f, 0x6a, 0x0f, 0x0b, 0x0b) // return the block
	f = append(f, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x10)
	f = append(uleb(f, inner), 0x0b)
	return append(uleb(nil, uint32(len(f))), f...)
}

// allocator is the body of the function: it traps on a real realloc and when the reserve is used up.
func allocator(next, end uint32) []byte {
	get, set := uleb([]byte{0x23}, next), uleb([]byte{0x24}, next)
	f := []byte{0}                             // no locals
	f = append(f, 0x20, 0, 0x04, 0x40, 0, 0xb) // if old is given: unreachable
	f = append(f, get...)                      // the answer
	f = append(f, get...)
	f = append(f, 0x20, 3, 0x6a) // plus the size
	f = append(f, set...)
	f = append(f, get...)
	f = constant(f, end)
	f = append(f, 0x4b, 0x04, 0x40, 0, 0xb) // if beyond the end: unreachable
	f = append(f, 0x0b)
	return append(uleb(nil, uint32(len(f))), f...)
}

// count is the number of items in a section, -1 when it cannot be read.
func count(body []byte) int {
	n, _, err := leb(body)
	if err != nil {
		return -1
	}
	return int(n)
}

// grow adds one item to a section.
func grow(body, item []byte) ([]byte, error) {
	n, rest, err := leb(body)
	if err != nil {
		return nil, err
	}
	return append(append(uleb(nil, n+1), rest...), item...), nil
}

// find is the address of the reserve, where the active data segments put its mark, and whether it has the second
// part.
func find(data []byte) (at uint32, shared bool, err error) {
	n, b, err := leb(data)
	if err != nil {
		return 0, false, err
	}
	for ; n > 0; n-- {
		if len(b) < 2 || b[0] != 0 || b[1] != 0x41 {
			return 0, false, errForm() // Go writes active segments at constant offsets
		}
		at, rest, err := sleb(b[2:])
		if err != nil || len(rest) == 0 || rest[0] != 0x0b {
			return 0, false, errForm()
		}
		size, rest, err := leb(rest[1:])
		if err != nil || uint64(size) > uint64(len(rest)) {
			return 0, false, errForm()
		}
		for _, mark := range []string{reserveMark, handoverMark} {
			if i := bytes.Index(rest[:size], []byte(mark)); i >= 0 {
				return uint32(at) + uint32(i), mark == handoverMark, nil
			}
		}
		b = rest[size:]
	}
	return 0, false, fault.New(fault.Invalid, "core module", "it does not use the Go SDK").
		WithFix(`import "greentic.dev/sdk/go/greentic" and call greentic.Component`)
}

func leb(b []byte) (uint32, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || v > 1<<32-1 {
		return 0, nil, errForm()
	}
	return uint32(v), b[n:], nil
}

func sleb(b []byte) (int32, []byte, error) {
	var v int64
	for i := 0; i < len(b) && i < 5; i++ {
		v |= int64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if b[i]&0x40 != 0 {
				v |= -1 << (7 * (i + 1))
			}
			return int32(v), b[i+1:], nil
		}
	}
	return 0, nil, errForm()
}

func uleb(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }

// constant appends i32.const v.
func constant(b []byte, v uint32) []byte {
	b = append(b, 0x41)
	for s := int32(v); ; s >>= 7 {
		c := byte(s & 0x7f)
		if s>>7 == 0 && c&0x40 == 0 || s>>7 == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
