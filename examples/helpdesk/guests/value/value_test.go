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

func TestPathsReadWhatIsThere(t *testing.T) {
	v := map[string]any{"a": map[string]any{"n": int64(7), "l": []any{1}, "f": 1.5, "t": true}}
	if Text(v, "a", "n") != "7" || Text(v, "a", "f") != "1.5" || Text(v, "a", "t") != "true" || Text(v, "x", "y") != "" ||
		Int(v, "a", "n") != 7 || Int(v, "a", "f") != 0 || len(List(v, "a", "l")) != 1 || List(v, "a") != nil {
		t.Error("a path reads something else")
	}
}

func FuzzCodecs(f *testing.F) {
	for _, seed := range []string{"\x9f\x01\xff", "\xbf\x61a\xf9\x3c\x00\xff", `{"a":[1,2.5,"\u00e4"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := FromCBOR(b); err == nil {
			again, err := ToCBOR(v)
			if err != nil {
				t.Fatalf("%v does not encode: %v", v, err)
			}
			if _, err := FromCBOR(again); err != nil {
				t.Fatalf("%x does not read back: %v", again, err)
			}
		}
		if v, err := FromJSON(b); err == nil {
			if again, err := ToJSON(v); err == nil {
				back, err := FromJSON(again)
				if err != nil {
					t.Fatalf("%s does not read back: %v", again, err)
				}
				if twice, _ := ToJSON(back); !bytes.Equal(again, twice) {
					t.Fatalf("%s becomes %s", again, twice)
				}
			}
		}
	})
}
