package binary_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	wasm "greentic.dev/wasm/binary"
)

const preamble = "\x00asm\x0d\x00\x01\x00"

// section makes a section with its length.
func section(id byte, body string) string {
	return string(binary.AppendUvarint([]byte{id}, uint64(len(body)))) + body
}

func nested(depth int) string {
	code := preamble
	for range depth {
		code = preamble + section(4, code)
	}
	return code
}

func TestMalformedBinariesAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name, code string
		kind       fault.Kind
		text       string
	}{
		{"empty", "", fault.Invalid, "not a WebAssembly binary"},
		{"core module", "\x00asm\x01\x00\x00\x00", fault.Invalid, "core module"},
		{"other version", "\x00asm\x0e\x00\x01\x00", fault.Unsupported, "version"},
		{"cut section", preamble + "\x07\x05\x01", fault.Invalid, "exceeds the 1 bytes left"},
		{"unknown section", preamble + section(99, ""), fault.Invalid, "unknown section 99"},
		{"bytes left over", preamble + section(7, "\x00\x00"), fault.Invalid, "1 bytes too many"},
		{"huge count", preamble + section(7, "\xff\xff\xff\xff\x0f"), fault.Invalid, "4294967295 definitions are claimed"},
		{"huge inner count", preamble + section(7, "\x01\x72\xff\xff\xff\x7f"), fault.Invalid, "are claimed"},
		{"long integer", preamble + section(7, "\x80\x80\x80\x80\x80\x00"), fault.Invalid, "longer than 5 bytes"},
		{"big integer", preamble + section(7, "\xff\xff\xff\xff\x1f"), fault.Invalid, "32 bits"},
		{"empty record", preamble + section(7, "\x01\x72\x00"), fault.Invalid, "empty record"},
		{"33 flags", preamble + section(7, "\x01\x6e\x21"+func() string {
			var b strings.Builder
			for i := range 33 {
				b.WriteString("\x02" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
			}
			return b.String()
		}()), fault.Invalid, "33 flags"},
		{"duplicate label", preamble + section(7, "\x01\x6d\x02\x01a\x01A"), fault.Invalid, "duplicate label"},
		{"label not kebab", preamble + section(7, "\x01\x6d\x01\x02a_"), fault.Invalid, "kebab"},
		{"name not utf-8", preamble + section(7, "\x01\x6d\x01\x01\xff"), fault.Invalid, "UTF-8"},
		{"duplicate import", preamble + section(10, "\x02\x00\x01a\x03\x01\x00\x01a\x03\x01"), fault.Invalid, "duplicate import"},
		{"bad import name", preamble + section(10, "\x01\x00\x02a/\x03\x01"), fault.Invalid, "not a valid import"},
		{"implements twice", preamble + section(10, "\x01\x02\x01a\x02\x00\x05x:y/z\x00\x05x:y/z\x05\x00"), fault.Invalid, "given twice"},
		{"implements no interface", preamble + section(10, "\x01\x02\x01a\x01\x00\x01x\x05\x00"), fault.Invalid, "not an interface name"},
		{"an interface implements", preamble + section(10, "\x01\x02\x05a:b/c\x01\x00\x05x:y/z\x05\x00"), fault.Invalid, "not a plain name"},
		{"a function implements", preamble + section(10, "\x01\x02\x01a\x01\x00\x05x:y/z\x01\x00"), fault.Invalid, "only instances do"},
		{"unknown attribute", preamble + section(10, "\x01\x02\x01a\x01\x03\x01x\x05\x00"), fault.Invalid, "attribute 0x3"},
		{"suffix of a full version", preamble + section(10, "\x01\x02\x0ba:b/c@0.2.3\x01\x01\x02.4\x05\x00"), fault.Invalid, "does not complete"},
		{"suffix that makes no version", preamble + section(10, "\x01\x02\x09a:b/c@0.2\x01\x01\x02.x\x05\x00"), fault.Invalid, "does not complete"},
		{"module type imports twice", preamble + section(3, "\x01\x50\x02\x00\x01a\x01b\x02\x00\x00\x00\x01a\x01b\x02\x00\x00"), fault.Invalid, "duplicate import"},
		{"module type exports twice", preamble + section(3, "\x01\x50\x02\x03\x01a\x02\x00\x00\x03\x01a\x02\x00\x00"), fault.Invalid, "duplicate export"},
		{"module type with a huge memory", preamble + section(3, "\x01\x50\x01\x03\x01a\x02\x00\x81\x80\x04"), fault.Invalid, "limits"},
		{"module type with crossed limits", preamble + section(3, "\x01\x50\x01\x03\x01a\x02\x01\x02\x01"), fault.Invalid, "limits"},
		{"reference type", preamble + section(3, "\x01\x60\x01\x64\x00"), fault.Unsupported, "core reference type"},
		{"shared global", preamble + section(3, "\x01\x50\x01\x03\x01a\x03\x7f\x02"), fault.Unsupported, "shared core global"},
		{"resource in a type", preamble + section(7, "\x01\x42\x01\x01\x3f\x7f\x00"), fault.Invalid, "resource definition inside"},
		{"deep components", nested(100), fault.Exhausted, "nesting"},
		{"long name", preamble + section(0, string(binary.AppendUvarint(nil, 1<<20))+strings.Repeat("a", 1<<20)), fault.Exhausted, "name of 1048576 bytes"},
		{"start section", preamble + section(9, "\x00\x00\x00"), fault.Unsupported, "start"},
		{"value section", preamble + section(12, "\x00"), fault.Unsupported, "value"},
		{"async function", preamble + section(7, "\x01\x43\x00\x01\x00"), fault.Unsupported, "async function type"},
		{"stream", preamble + section(7, "\x01\x66\x00"), fault.Unsupported, "stream"},
		{"future", preamble + section(7, "\x01\x65\x00"), fault.Unsupported, "future"},
		{"error-context", preamble + section(7, "\x01\x70\x64"), fault.Unsupported, "error-context"},
		{"task.return", preamble + section(8, "\x01\x09\x00\x7f\x00"), fault.Unsupported, "task.return"},
		{"waitable-set.wait", preamble + section(8, "\x01\x20\x00\x00"), fault.Unsupported, "waitable-set.wait"},
		{"async option", preamble + section(8, "\x01\x00\x00\x00\x01\x06\x00"), fault.Unsupported, "option async"},
		{"callback option", preamble + section(8, "\x01\x00\x00\x00\x01\x07\x00\x00"), fault.Unsupported, "option callback"},
		{"option twice", preamble + section(8, "\x01\x01\x00\x00\x02\x00\x01"), fault.Invalid, "string-encoding given twice"},
		{"lower with post-return", preamble + section(8, "\x01\x01\x00\x00\x01\x05\x00"), fault.Invalid, "post-return"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := wasm.Decode([]byte(tc.code), wasm.Limits{})
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.text) {
				t.Fatalf("got %v, want %s: …%s…", err, tc.kind, tc.text)
			}
			if !strings.Contains(err.Error(), "offset 0x") {
				t.Errorf("%v names no offset", err)
			}
		})
	}
}

func TestEveryNameFormDecodes(t *testing.T) {
	for _, tc := range []string{
		"\x00\x03a-b\x03\x01",
		"\x01\x05a:b/c\x03\x01",
		"\x02\x01a\x01\x02\x05x y/z\x03\x01",
		"\x02\x09a:b/c@0.2\x01\x01\x02.3\x03\x01",
	} {
		c, err := wasm.Decode([]byte(preamble+section(10, "\x01"+tc)), wasm.Limits{})
		if err != nil {
			t.Errorf("%q: %v", tc, err)
		} else if i := c.Defs[0].Import; i == nil || !i.Type.Fresh {
			t.Errorf("%q: %+v", tc, c.Defs[0])
		}
	}
}

func TestCustomSectionsAreKept(t *testing.T) {
	c, err := wasm.Decode([]byte(preamble+section(0, "\x09producersxyz")), wasm.Limits{})
	if err != nil || len(c.Custom) != 1 || c.Custom[0].Name != "producers" || !bytes.Equal(c.Custom[0].Data, []byte("xyz")) {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestPublicComponentsDecode(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := wasm.Decode(code, wasm.Limits{}); err != nil || len(c.Defs) == 0 {
			t.Errorf("%s: %v", filepath.Base(f), err)
		}
	}
}

// FuzzDecode: no input makes Decode panic or hang, and every refusal is a fault with a kind.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("../link/testdata/*.wasm")
	for _, file := range files {
		if code, err := os.ReadFile(file); err == nil {
			f.Add(code)
		}
	}
	f.Add([]byte(nested(3)))
	f.Fuzz(func(t *testing.T, code []byte) {
		_, err := wasm.Decode(code, wasm.Limits{})
		if err != nil && fault.Is(err, fault.Internal) {
			t.Fatalf("refused without a kind: %v", err)
		}
	})
}
