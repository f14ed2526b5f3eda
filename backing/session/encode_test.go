package session

import (
	"encoding/binary"
	"reflect"
	"testing"

	"greentic.dev/internal/filled"
)

// What is encoded by hand must not forget a field, also the second time, when part of it is known.
func TestASessionReadsBackWhole(t *testing.T) {
	var s Session
	filled.Fill(&s)
	for range 2 {
		raw, err := Encode(&s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Stored{key: s.Key, revision: binary.BigEndian.Uint64(raw), raw: raw[8:]}.Open()
		if err != nil {
			t.Fatal(err)
		}
		want := s
		want.Revision++
		got.pinned, got.due, want.entry = "", want.due, nil
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nreads back as\n%+v\n%s", want, got, raw)
		}
	}
}
