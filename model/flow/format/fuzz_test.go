package format_test

import (
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/format"
)

// Whatever a file holds, it is formatted once and for all, refused with a place, or left alone because
// its meaning could not be kept.
func FuzzSource(f *testing.F) {
	for _, s := range []string{
		"id: t\ntype: messaging\nnodes:\n  a:\n    emit.log: 1 # x\n    routing: [{ to: a }]\n",
		"nodes:\n   a:\n      routing:\n      - to: a\n        condition: x\n      emit.log: |+\n         text\n\n\nid: t\n",
		"0000: |+\n ", "0\r", // blanks alone in a text, and the line end of old machines
		"- - a\n  - b: 1\n    c: 2\n", "a: 'x\n  y'\n\"b: c\": {d: [1,\n2]}\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, err := format.Source("x", src)
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Internal) {
				t.Fatal(err)
			}
			return
		}
		if again, err := format.Source("x", out); err != nil || string(again) != string(out) {
			t.Fatalf("%q becomes %q and then %q, %v", src, out, again, err)
		}
	})
}
