package value

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
)

func sample() any {
	return map[string]any{"b": true, "n": nil, "list": []any{int64(-1), int64(24), int64(1 << 40), 1.5, "ä\n\"\\\x01"}, "": map[string]any{}}
}

func TestValuesSurviveCBORAndJSON(t *testing.T) {
	for name, codec := range map[string]struct {
		to   func(any) ([]byte, error)
		from func([]byte) (any, error)
	}{"cbor": {ToCBOR, FromCBOR}, "json": {ToJSON, FromJSON}} {
		b, err := codec.to(sample())
		if err != nil {
			t.Fatal(err)
		}
		got, err := codec.from(b)
		if err != nil || !reflect.DeepEqual(got, sample()) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestCBORIsReadLeniently(t *testing.T) {
	for in, want := range map[string]any{
		"\x9f\x01\xff":                     []any{int64(1)},
		"\xbf\x61a\x01\xff":                map[string]any{"a": int64(1)},
		"\x7f\x61a\x61b\xff":               "ab",
		"\xc1\x01":                         int64(1),
		"\xf9\x3c\x00":                     1.0,
		"\xfa\x3f\x80\x00\x00":             1.0,
		"\x1b" + strings.Repeat("\xff", 8): uint64(math.MaxUint64),
		"\xf7":                             nil,
	} {
		if got, err := FromCBOR([]byte(in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%x: %v, %v", in, got, err)
		}
	}
}

func TestHostileDocumentsAreRefused(t *testing.T) {
	for _, in := range []string{"", "\x18", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "\x7f\x41a\xff", "\x61\xff", "\xa1\x01\x01", "\x01\x01", "\xff", "\x1c",
		strings.Repeat("\x81", 1000) + "\x01", "\x9f"} {
		if v, err := FromCBOR([]byte(in)); err == nil {
			t.Errorf("%x reads as %v", in, v)
		}
	}
	for _, in := range []string{"", "{", "[1,]", `{"a"}`, `{1:2}`, `"a`, `"\q"`, `"\u12"`, "\"\x01\"", "nul", "1 2", "--1", strings.Repeat("[", 1000)} {
		if v, err := FromJSON([]byte(in)); err == nil {
			t.Errorf("%q reads as %v", in, v)
		}
	}
	if _, err := ToCBOR(struct{}{}); err == nil {
		t.Error("a struct was encoded")
	}
	if _, err := ToJSON(math.NaN()); err == nil {
		t.Error("NaN became JSON")
	}
}

func TestCanonicalCBORSortsShortKeysFirst(t *testing.T) {
	b, _ := ToCBOR(map[string]any{"bb": 1, "a": 2, "c": 3})
	if !bytes.Equal(b, []byte("\xa3\x61a\x02\x61c\x03\x62bb\x01")) {
		t.Errorf("got %x", b)
	}
}

func TestJSONEscapesAreUnderstood(t *testing.T) {
	if got, err := FromJSON([]byte(` "\u00e4\ud83d\ude00\/\t" `)); err != nil || got != "ä😀/\t" {
		t.Errorf("%q, %v", got, err)
	}
}
