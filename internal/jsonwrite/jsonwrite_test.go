package jsonwrite_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"greentic.dev/internal/jsonwrite"
)

// same says whether both texts are JSON of the same value.
func same(t *testing.T, got []byte, v any) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("%s\ninstead of\n%s", got, want)
	}
}

func TestValuesReadBackAsEncodingJSONWritesThem(t *testing.T) {
	for _, v := range []any{
		nil, true, false, "", "plain", "\"quoted\\\n\r\t\x00\x1f<&>\u2028 ä 漢 😀", "cut \xff\xc3", 0, -1, int64(math.MinInt64), uint64(math.MaxUint64),
		0.0, math.Copysign(0, -1), 1.5, -1e300, 1e21, 1 << 53, float64(1<<53 + 2), 5e-324,
		[]any{}, []any(nil), map[string]any{}, map[string]any(nil), []string{"x"}, map[string]int{"b": 1, "a": 2}, json.Number("12"), []byte{1, 2},
		map[string]any{"b": []any{1, "x", nil, map[string]any{"k\"": 1.25}}, "a": map[string]any{}},
	} {
		got, err := jsonwrite.Value(nil, v)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		same(t, got, v)
	}
}

// What is stored or digested twice is the same both times.
func TestKeysAreSorted(t *testing.T) {
	m := map[string]any{}
	for _, key := range []string{"q", "w", "e", "r", "t", "z", "u", "i", "o", "p", "a", "s", "d", "f", "g", "h", "j", "k"} {
		m[key] = key
	}
	want, _ := json.Marshal(m)
	got, err := jsonwrite.Value(nil, m)
	if err != nil || string(got) != string(want) {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestNumbersThatJSONHasNotAreRefused(t *testing.T) {
	for _, v := range []any{math.NaN(), []any{math.Inf(1)}, map[string]any{"a": math.Inf(-1)}, make(chan int)} {
		if got, err := jsonwrite.Value(nil, v); err == nil {
			t.Errorf("%v became %s", v, got)
		}
	}
}

func TestEmptyFieldsAreLeftOut(t *testing.T) {
	type fields struct {
		Text  string            `json:"text,omitempty"`
		Int   int               `json:"int,omitempty"`
		True  bool              `json:"true,omitempty"`
		Time  time.Time         `json:"time,omitzero"`
		Raw   json.RawMessage   `json:"raw,omitempty"`
		Bytes []byte            `json:"bytes"`
		Texts map[string]string `json:"texts,omitempty"`
	}
	for _, f := range []fields{
		{},
		{"a\"b", -3, true, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600)), json.RawMessage(`[1]`), []byte{0, 255, 7, 8}, map[string]string{"b": "ä", "a": ""}},
	} {
		b := append([]byte(nil), '{')
		b = jsonwrite.Text(b, "text", f.Text)
		b = jsonwrite.Int(b, "int", f.Int)
		b = jsonwrite.True(b, "true", f.True)
		b = jsonwrite.Time(b, "time", f.Time)
		b = jsonwrite.Raw(b, "raw", f.Raw)
		b = jsonwrite.Bytes(b, "bytes", f.Bytes)
		b = jsonwrite.Texts(b, "texts", f.Texts)
		b = append(b, '}')
		want, err := json.Marshal(f)
		if err != nil || string(b) != string(want) {
			t.Errorf("%s\ninstead of\n%s, %v", b, want, err)
		}
	}
}
