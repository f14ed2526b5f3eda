package canon_test

import (
	"encoding/binary"
	"testing"

	"greentic.dev/greentic/fault"
	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

type read struct{ b []byte }

func (r *read) pick(n int) int {
	if len(r.b) == 0 {
		return 0
	}
	v := int(r.b[0])
	r.b = r.b[1:]
	if n > 256 && len(r.b) > 0 {
		v = v<<8 | int(r.b[0])
		r.b = r.b[1:]
	}
	return v % n
}

// FuzzLift reads values of any type from any memory: it ends with a value or a named error, and
// a value that was read can be written and read again.
func FuzzLift(f *testing.F) {
	f.Add([]byte{13, 13}, make([]byte, 40), []byte{8, 0, 0, 0, 4, 0, 0, 0})
	f.Add([]byte{17, 13}, []byte("....\x08\x00\x00\x00\x04\x00\x00\x00text"), []byte{0, 0, 0, 0, 1, 0, 0, 0})
	f.Add([]byte{22, 3, 0, 13, 1, 11, 1, 15}, make([]byte, 64), []byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{20, 5, 15, 15, 16, 13, 1, 2}, make([]byte, 64), []byte{1, 0, 0, 0, 1, 0, 0, 0, 2})
	f.Fuzz(func(t *testing.T, shape, mem, stack []byte) {
		c, rs := &read{shape}, resources()
		enc := canon.Encoding(c.pick(3))
		var ts []*types.Type
		for range 1 + c.pick(3) {
			ts = append(ts, anyType(c, 3, rs))
		}
		s := canon.Compile(params(ts...))
		flat := make([]uint64, 18)
		for i := range flat {
			if len(stack) >= 4 {
				flat[i] = uint64(binary.LittleEndian.Uint32(stack))
				stack = stack[4:]
			}
		}
		table := canon.NewTable(64)
		for i := range uint32(8) {
			if _, err := table.New(rs[i%2], i); err != nil {
				t.Fatal(err)
			}
		}
		budget := 1 << 20
		env := (&guest{mem: mem, next: 8, limit: 1 << 24}).env(enc, table)
		env.Payload = &budget
		args, err := s.LiftArgs(env, flat)
		if budget < 0 {
			t.Fatalf("budget overdrawn: %d", budget)
		}
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Exhausted {
				t.Fatalf("kind %s: %v", k, err)
			}
			return
		}
		again := newGuest(64).env(enc, table)
		flat2, err := s.LowerArgs(again, args, nil)
		if err != nil {
			t.Fatalf("what was lifted cannot be lowered: %v", err)
		}
		if _, err := s.LiftArgs(again, append(flat2, 0)); err != nil {
			t.Fatalf("what was lowered cannot be lifted: %v", err)
		}
	})
}
