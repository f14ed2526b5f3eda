package cbor

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMarshalIsCanonical(t *testing.T) {
	for name, c := range map[string]struct {
		in   any
		want string
	}{
		"keys by length then bytes": {map[string]any{"bb": 1, "a": 2, "ab": 3, "c": 4}, "a4 6161 02 6163 04 626162 03 626262 01"},
		"shortest integers":         {[]any{0, 23, 24, 255, 256, 65536, int64(-1), uint64(math.MaxUint64)}, "88 00 17 1818 18ff 190100 1a00010000 20 1bffffffffffffffff"},
		"shortest exact floats":     {[]any{1.5, 0.1, 100000.5}, "83 f93e00 fb3fb999999999999a fa47c35040"},
		"bytes, text, simple":       {[]any{[]byte{1}, "ä", true, false, nil}, "85 4101 62c3a4 f5 f4 f6"},
		"empty containers":          {map[string]any{"l": []any(nil), "m": map[string]any(nil)}, "a2 616c 80 616d a0"},
		"json numbers":              {map[string]any{"n": []any{json.Number("3"), json.Number("3.0"), json.Number("18446744073709551615")}}, "a1 616e 83 03 f94200 1bffffffffffffffff"},
		"raw json":                  {map[string]any{"r": json.RawMessage(`{"b":1,"a":[2]}`)}, "a1 6172 a2 6161 8102 6162 01"},
		"structs": {struct {
			Long string `json:"long"`
			N    int    `cbor:"n"`
			Gone string `json:"gone,omitempty"`
		}{"x", 7, ""}, "a2 616e 07 646c6f6e67 6178"},
	} {
		got, err := Marshal(c.in)
		if err != nil || !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s: %x %v, want %s", name, got, err, c.want)
		}
	}
}

func TestMarshalRefusesWhatCanonicalCBORHasNot(t *testing.T) {
	for name, v := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(1), "keys that are no text": map[any]any{1: 2}, "channels": make(chan int),
		"numbers out of range": []any{json.Number("1e999")},
	} {
		if b, err := Marshal(v); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %x %v", name, b, err)
		}
	}
}

func TestMarshalLeavesItsArgumentAlone(t *testing.T) {
	in := map[string]any{"l": []any{json.Number("1")}}
	if _, err := Marshal(in); err != nil {
		t.Fatal(err)
	}
	if _, ok := in["l"].([]any)[0].(json.Number); !ok {
		t.Error("the argument was changed")
	}
}

func TestStrictDocumentsHoldNoFloats(t *testing.T) {
	if _, err := MarshalStrict(map[string]any{"a": []any{1, 2.5}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a float passed: %v", err)
	}
	// bytes that look like a float head inside text are no float
	if _, err := MarshalStrict(map[string]any{"a": []any{1, []byte{0xfb, 0xf9}}}); err != nil {
		t.Error(err)
	}
}

func TestUnmarshalIsLenient(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want any
	}{
		"indefinite map, list, text": {"bf 6161 9f 01 02 ff 6162 7f 6161 6162 ff ff", map[string]any{"a": []any{int64(1), int64(2)}, "b": "ab"}},
		"unsorted keys, long forms":  {"a2 6162 1800 6161 190001", map[string]any{"b": int64(0), "a": int64(1)}},
		"floats of each width":       {"83 f93c00 fa3fc00000 fb3ff8000000000000", []any{1.0, 1.5, 1.5}},
		"integers at the edges":      {"83 1b7fffffffffffffff 3b7fffffffffffffff 1bffffffffffffffff", []any{int64(math.MaxInt64), int64(math.MinInt64), uint64(math.MaxUint64)}},
		"tags are looked through":    {"d9d9f7 81 d82a 6178", []any{"x"}},
		"undefined is nil":           {"81 f7", []any{nil}},
		"bytes stay bytes":           {"a1 6162 420102", map[string]any{"b": []byte{1, 2}}},
	} {
		got, err := Unmarshal(unhex(t, c.in))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v %v", name, got, err)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x81}, MaxDepth+1), 0)
	flood := append([]byte{0x9a, 0, 0x20, 0, 0}, make([]byte, 0x200000)...)
	for name, c := range map[string]struct {
		in   []byte
		kind fault.Kind
	}{
		"nothing":                   {nil, fault.Invalid},
		"truncated text":            {unhex(t, "63 6161"), fault.Invalid},
		"trailing bytes":            {unhex(t, "01 02"), fault.Invalid},
		"duplicate keys":            {unhex(t, "a2 6161 01 6161 02"), fault.Invalid},
		"keys that are no text":     {unhex(t, "a1 01 02"), fault.Invalid},
		"invalid UTF-8":             {unhex(t, "61 ff"), fault.Invalid},
		"integers below int64":      {unhex(t, "3bffffffffffffffff"), fault.Invalid},
		"a list of 2^32-1 elements": {unhex(t, "9affffffff 00"), fault.Invalid},
		"unassigned simple values":  {unhex(t, "e5"), fault.Invalid},
		"bignums":                   {unhex(t, "c2 4101"), fault.Invalid},
		"nesting":                   {deep, fault.Exhausted},
		"too many items":            {flood, fault.Exhausted},
		"too many bytes":            {make([]byte, MaxBytes+1), fault.Exhausted},
	} {
		if v, err := Unmarshal(c.in); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v %v", name, v, err)
		}
	}
}

func TestABigByteStringIsOneItem(t *testing.T) {
	b, err := Marshal(map[string]any{"blob": make([]byte, 2*MaxItems)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Unmarshal(b)
	if err != nil || len(v.(map[string]any)["blob"].([]byte)) != 2*MaxItems {
		t.Error(err)
	}
}

func TestDecodeFillsStructs(t *testing.T) {
	var got struct {
		Version int            `json:"version"`
		ID      any            `cbor:"pack_id"`
		Sig     []byte         `json:"sig"`
		Rest    map[string]any `json:"rest"`
	}
	doc := map[string]any{"version": 1, "pack_id": 0, "sig": []any{1, 2, 255}, "rest": map[string]any{"x": []any{1.5}}, "unknown": true}
	b, err := Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || got.ID != int64(0) || !bytes.Equal(got.Sig, []byte{1, 2, 255}) || got.Rest["x"].([]any)[0] != 1.5 {
		t.Errorf("%+v", got)
	}
	if err := Decode(unhex(t, "a1 6776657273696f6e 6178"), &got); !fault.Is(err, fault.Invalid) {
		t.Errorf("text became a number: %v", err)
	}
}

func TestFromJSONKeepsIntegers(t *testing.T) {
	got, err := FromJSON([]byte(`{"i":9007199254740993,"f":1.0,"u":18446744073709551615,"l":[null,true,"x"]}`))
	want := map[string]any{"i": int64(9007199254740993), "f": 1.0, "u": uint64(math.MaxUint64), "l": []any{nil, true, "x"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v %v", got, err)
	}
	for _, bad := range []string{"", "{", "1 2", `{"a":1}}`, "[1e999]"} {
		if v, err := FromJSON([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v %v", bad, v, err)
		}
	}
}
