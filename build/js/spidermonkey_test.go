package js

import (
	"os"
	"path/filepath"
	"testing"

	"greentic.dev/wasm"
)

// componentizers is a folder where npm has installed the componentiser for SpiderMonkey.
const componentizers = "../../bench/guests/node_modules"

// TestSpiderMonkey: the same source on the other engine answers the same.
func TestSpiderMonkey(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles 12 MB")
	}
	from, err := filepath.Abs(componentizers)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(from, "@bytecodealliance", "componentize-js")); err != nil {
		t.Skip("componentize-js is missing (npm ci in bench/guests)")
	}
	dir := allProject(t)
	if err := os.Symlink(from, filepath.Join(dir, "node_modules")); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	opt := options(t)
	opt.Backend = SpiderMonkey
	code, err := Build(t.Context(), dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	b := onHost(t, code, wasm.Limits{})
	got, r, err := b.call(t, "greet", map[string]any{"name": "Ada"})
	want(t, got, r, err, `{"text":"HELLO, ADA!"}`)
	got, r, err = b.call(t, "count", map[string]any{})
	want(t, got, r, err, `{"n":1}`)
	for op, code := range map[string]string{"busy": "busy", "throws": "exception", "other": "secret_denied"} {
		if _, r, err := b.call(t, op, nil); err != nil || r.Fail == nil || r.Fail.Code != code {
			t.Errorf("%s gave %+v, %v", op, r, err)
		}
	}
}
