package cbor

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// FuzzUnmarshal: whatever is read is written canonically, and reading that gives the same bytes.
func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{"a2616101616202", "bf61619f0102ff61627f61616162ffff", "d9d9f78101", "1bffffffffffffffff", "f97e00", "9affffffff", "c24101", "81f7", "e5", "3bffffffffffffffff"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Unmarshal(b)
		if err != nil {
			return
		}
		canonical, err := Marshal(v)
		if err != nil {
			return // NaN and infinity are read, not written
		}
		again, err := Unmarshal(canonical)
		if err != nil {
			t.Fatalf("%x does not read back: %v", canonical, err)
		}
		twice, err := Marshal(again)
		if err != nil || !bytes.Equal(twice, canonical) {
			t.Fatalf("%x and %x: %v", canonical, twice, err)
		}
		var into map[string]any
		_ = Decode(b, &into)
	})
}
