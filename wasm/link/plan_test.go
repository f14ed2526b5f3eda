package link

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/core"
)

func planOf(code []byte) (*Plan, error) {
	c, err := binary.Decode(code, binary.Limits{})
	if err != nil {
		return nil, err
	}
	return NewPlan(c, binary.Limits{})
}

// invalidCases reads testdata/invalid.tsv: name, expected text, binary. It is made from
// invalid.wat with any component text parser.
func invalidCases(t testing.TB) map[string][2]string {
	t.Helper()
	b, err := os.ReadFile("testdata/invalid.tsv")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][2]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		code, err := base64.StdEncoding.DecodeString(f[2])
		if err != nil {
			t.Fatal(err)
		}
		cases[f[0]] = [2]string{f[1], string(code)}
	}
	return cases
}

func TestIllTypedComponentsAreRefusedBeforeAnythingRuns(t *testing.T) {
	for name, c := range invalidCases(t) {
		t.Run(name, func(t *testing.T) {
			_, err := planOf([]byte(c[1]))
			if err == nil || !strings.Contains(err.Error(), c[0]) || !strings.Contains(err.Error(), "offset 0x") {
				t.Fatalf("got %v, want …%s…", err, c[0])
			}
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Unsupported {
				t.Errorf("kind %s: %v", k, err)
			}
		})
	}
}

// TestCanonicalNamesAreReflectedWhole: a version that was cut to make a name canonical is whole
// again for the embedder.
func TestCanonicalNamesAreReflectedWhole(t *testing.T) {
	p, err := planOf([]byte("\x00asm\x0d\x00\x01\x00" +
		section(7, "\x02\x40\x00\x01\x00\x42\x02\x02\x03\x02\x01\x00\x04\x00\x01f\x01\x00") +
		section(10, "\x01\x02\x09a:b/c@0.2\x01\x01\x02.3\x05\x01") +
		section(11, "\x01\x02\x07x:y/z@1\x01\x01\x04.0.0\x05\x00\x00")))
	if err != nil {
		t.Fatal(err)
	}
	if p.Imports()[0].Name != "a:b/c@0.2.3" || p.Needs[0].Iface != "a:b/c@0.2.3" || p.Exports()[0].Name != "x:y/z@1.0.0" {
		t.Errorf("imports %q as %q, exports %q", p.Imports()[0].Name, p.Needs[0].Iface, p.Exports()[0].Name)
	}
	if _, ok := p.Func("x:y/z@1.0.0", "f"); !ok {
		t.Error("the export is not found by its whole name")
	}
}

func TestTypesOfInstancesAndComponentsAreEqualByStructure(t *testing.T) {
	const instance, component, other = "\x42\x00", "\x41\x00", "\x42\x01\x04\x00\x01r\x03\x01"
	for _, tc := range []struct {
		want, got string
		ok        bool
	}{
		{instance, instance, true}, {component, component, true}, {other, other, true},
		{instance, other, false}, {other, instance, false}, {instance, component, false},
	} {
		code := "\x00asm\x0d\x00\x01\x00" +
			section(4, "\x00asm\x0d\x00\x01\x00"+section(7, "\x01"+tc.want)+section(10, "\x01\x00\x01x\x03\x00\x00")) +
			section(7, "\x01"+tc.got) + section(5, "\x01\x00\x00\x01\x01x\x03\x00")
		if _, err := planOf([]byte(code)); tc.ok != (err == nil) || !tc.ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q for %q: %v", tc.got, tc.want, err)
		}
	}
}

func TestComponentsThatMultiplyAreExhausted(t *testing.T) {
	// c0 is empty; every further component instantiates the previous one ten times.
	body := ""
	for i := range 12 {
		var inner string
		if i > 0 {
			inner = section(6, "\x01\x04\x02\x01"+string(rune(i-1))) +
				section(5, "\x0a"+strings.Repeat("\x00\x00\x00", 10))
		}
		body += section(4, "\x00asm\x0d\x00\x01\x00"+inner)
	}
	code := "\x00asm\x0d\x00\x01\x00" + body + section(5, "\x01\x00\x0b\x00")
	if _, err := planOf([]byte(code)); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("%v", err)
	}
}

func TestTypesThatDoubleAreExhausted(t *testing.T) {
	// type n is a tuple of twice type n-1: 2^60 values when walked as a tree.
	defs := "\x3d\x7d"
	for i := range 60 {
		defs += "\x6f\x02" + string([]byte{byte(i), byte(i)})
	}
	if _, err := planOf([]byte("\x00asm\x0d\x00\x01\x00" + section(7, defs))); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("%v", err)
	}
}

func section(id byte, body string) string {
	n := []byte{}
	for v := len(body); ; v >>= 7 {
		if v < 0x80 {
			n = append(n, byte(v))
			break
		}
		n = append(n, byte(v)|0x80)
	}
	return string(id) + string(n) + body
}

// TestPublicComponentsArePlanned: no valid component is refused. GREENTIC_INPUT names a folder
// of components.
func TestPublicComponentsArePlanned(t *testing.T) {
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
		if bytes.HasPrefix(code, []byte("\x00asm\x01\x00\x00\x00")) {
			continue // a core module
		}
		if _, err := planOf(code); err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
		}
	}
}

// TestCodeThatNobodyRunsIsChecked: a core module is ill-typed whether or not it is instantiated.
func TestCodeThatNobodyRunsIsChecked(t *testing.T) {
	ctx := context.Background()
	e, err := core.New(ctx, core.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	module := func(body string) string { // a function without results, nobody instantiates it
		return section(1, "\x00asm\x01\x00\x00\x00"+section(1, "\x01\x60\x00\x00")+section(3, "\x01\x00")+section(10, "\x01"+string(rune(len(body)))+body))
	}
	const empty = "\x00asm\x0d\x00\x01\x00"
	for code, ok := range map[string]bool{
		empty + module("\x00\x0b"):                           true,
		empty + module("\x00\x41\x00\x0b"):                   false, // leaves an i32
		empty + section(4, empty+module("\x00\x41\x00\x0b")): false,
	} {
		plan, err := planOf([]byte(code))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(ctx, e, plan)
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", code, err)
		}
		if err == nil {
			if err := p.Close(ctx); err != nil {
				t.Error(err)
			}
		}
	}
}
