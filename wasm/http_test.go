package wasm_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// silent is a transport that answers nothing until its request is ended.
type silent struct{ began, ended atomic.Int32 }

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.began.Add(1)
	<-r.Context().Done()
	s.ended.Add(1)
	return nil, context.Cause(r.Context())
}

func TestNoRequestOutlivesItsInvocation(t *testing.T) {
	code, err := os.ReadFile(filepath.Join("wasihttp", "testdata", "send.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine(t).Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	b := bind(t, c, nil)
	defer b.Close()
	for _, owner := range []string{"", "a"} { // fresh instances and kept ones
		for name, want := range map[string]struct {
			sent bool
			fail bool
		}{"send": {true, false}, "forget": {true, false}, "orphan": {false, true}} {
			for range 3 {
				s := &silent{}
				got, _, err := b.Invoke(t.Context(), wasm.Invocation{Func: name, Owner: owner, WASI: wasi.Config{HTTP: s}})
				if want.fail != fault.Is(err, fault.Invalid) || err == nil && got != want.sent {
					t.Errorf("%s: %v %v", name, got, err)
				}
				if s.began.Load() != s.ended.Load() || want.sent != (s.began.Load() == 1) {
					t.Errorf("%s: %d requests began, %d ended", name, s.began.Load(), s.ended.Load())
				}
			}
		}
	}
	if got, _, err := b.Invoke(t.Context(), wasm.Invocation{Func: "send"}); got != false || err != nil {
		t.Errorf("without a transport: %v %v", got, err)
	}
}
