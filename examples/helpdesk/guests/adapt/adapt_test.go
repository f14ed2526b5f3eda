package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"greentic.dev/examples/helpdesk/guests/guest"
)

func build(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "core.wasm")
	c := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "../triage")
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestTheAdapterGetsTheReserveAndNothingElseMoves(t *testing.T) {
	code := build(t)
	out, err := adapt(code)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := split(code[8:])
	after, err := split(out[8:])
	if err != nil || len(before) != len(after) {
		t.Fatalf("%d sections became %d, %v", len(before), len(after), err)
	}
	for i, s := range after {
		old := before[i]
		switch s.id {
		case secType, secFunction, secGlobal, secExport, secCode:
			if count(s.body) != count(old.body)+1 {
				t.Errorf("section %d has %d items, had %d", s.id, count(s.body), count(old.body))
			}
		default:
			if !bytes.Equal(s.body, old.body) {
				t.Errorf("section %d changed", s.id)
			}
		}
	}
	if _, err := adapt(out); err == nil {
		t.Error("a module was adapted twice")
	}
}

func TestOtherModulesAreRefused(t *testing.T) {
	code := build(t)
	foreign := bytes.ReplaceAll(code, []byte(guest.ReserveMark), bytes.Repeat([]byte{'x'}, len(guest.ReserveMark)))
	for name, b := range map[string][]byte{"nothing": nil, "text": []byte("package main"), "cut": code[:len(code)/2], "without reserve": foreign} {
		if _, err := adapt(b); err == nil {
			t.Errorf("%s was adapted", name)
		}
	}
}

func TestConstantsAreSignedAndShortest(t *testing.T) {
	for v, want := range map[uint32]string{0: "\x41\x00", 63: "\x41\x3f", 64: "\x41\xc0\x00", 1 << 20: "\x41\x80\x80\xc0\x00", 1<<32 - 1: "\x41\x7f"} {
		if got := constant(nil, v); string(got) != want {
			t.Errorf("%d: %x", v, got)
		}
		if back, rest, err := sleb(constant(nil, v)[1:]); err != nil || len(rest) != 0 || uint32(back) != v {
			t.Errorf("%d reads back as %d", v, back)
		}
	}
}
