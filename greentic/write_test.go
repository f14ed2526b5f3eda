package greentic_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"greentic.dev/greentic"
	"greentic.dev/internal/filled"
)

// What is encoded by hand must not forget a field.
func TestWrittenByHandReadsBackWhole(t *testing.T) {
	check := func(full, empty any, write func(v any, b []byte) []byte) {
		t.Helper()
		filled.Fill(full)
		for _, v := range []any{full, empty} {
			raw := write(v, []byte(nil))
			back := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			if err := json.Unmarshal(raw, back); err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			want, _ := json.Marshal(v)
			if got, _ := json.Marshal(back); string(got) != string(want) {
				t.Errorf("%s\nreads back as\n%s", raw, got)
			}
			if string(raw) != string(want) {
				t.Errorf("%s\nis written as\n%s", want, raw)
			}
		}
	}
	check(&greentic.TenantCtx{}, &greentic.TenantCtx{}, func(v any, b []byte) []byte { return v.(*greentic.TenantCtx).AppendJSON(b) })
	check(&greentic.Trigger{}, &greentic.Trigger{}, func(v any, b []byte) []byte { return v.(*greentic.Trigger).AppendJSON(b) })
	check(&greentic.Reply{}, &greentic.Reply{}, func(v any, b []byte) []byte { return v.(*greentic.Reply).AppendJSON(b) })
}
