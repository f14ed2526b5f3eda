package flow_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"greentic.dev/internal/filled"
	"greentic.dev/model/flow"
)

// What is encoded by hand must not forget a field.
func TestACursorReadsBackWhole(t *testing.T) {
	var full, empty flow.Cursor
	filled.Fill(&full)
	entry, err := json.Marshal(full.Entry)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cursor flow.Cursor
		entry  []byte
	}{{full, nil}, {full, entry}, {empty, nil}} {
		raw, err := c.cursor.AppendJSON(nil, c.entry)
		if err != nil {
			t.Fatal(err)
		}
		var got flow.Cursor
		if err := json.Unmarshal(raw, &got); err != nil || !reflect.DeepEqual(got, c.cursor) {
			t.Errorf("%+v\nreads back as\n%+v, %v\n%s", c.cursor, got, err, raw)
		}
	}
}
