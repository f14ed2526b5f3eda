package queue

import (
	"encoding/json"
	"reflect"
	"testing"

	"greentic.dev/internal/filled"
)

// What is encoded by hand must not forget a field.
func TestEntriesAndParcelsReadBackWhole(t *testing.T) {
	var e Entry
	filled.Fill(&e)
	got, err := decodeEntry(e.encode())
	if got.Seq = e.Seq; err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("%+v\nreads back as\n%+v, %v", e, got, err)
	}
	var p, back Parcel
	filled.Fill(&p)
	raw, err := p.encode()
	if err == nil {
		err = json.Unmarshal(raw, &back)
	}
	if err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("%+v\nreads back as\n%+v, %v", p, back, err)
	}
}

func TestADamagedEntryIsAnError(t *testing.T) {
	var e Entry
	filled.Fill(&e)
	whole := e.encode()
	for n := range len(whole) - len(e.Progress) { // what is behind the body is the runner's
		if _, err := decodeEntry(whole[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes, it reads as an entry", n, len(whole))
		}
	}
}
