package record

import (
	"reflect"
	"testing"

	"greentic.dev/internal/filled"
)

// What is encoded by hand must not forget a field.
func TestARecordReadsBackWhole(t *testing.T) {
	var full, empty Turn
	filled.Fill(&full)
	for _, want := range []Turn{full, empty} {
		raw, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(raw)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nreads back as\n%+v, %v\n%s", want, got, err, raw)
		}
	}
}
