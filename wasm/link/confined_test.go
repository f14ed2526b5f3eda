package link_test

import (
	"context"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
)

// TestHostileGuestsDoNotCallOutWhileTheyAreConfined: while the host is in the middle of moving
// values (realloc, post-return) a guest may call nobody.
func TestHostileGuestsDoNotCallOutWhileTheyAreConfined(t *testing.T) {
	calls := 0
	h := &link.Hosts{}
	h.Add(&link.Interface{Name: "", Funcs: map[string]link.Func{"wait": func(context.Context, *link.Call, []any) (any, error) {
		calls++
		return nil, nil
	}}})
	b, err := program(t, core.Way(0), "confined").Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, tc := range []struct {
		name    string
		args    []any
		allowed int // calls of wait
		ok      bool
	}{
		{"take", []any{"abc"}, 0, true},
		{"give", nil, 1, true},
		{"realloc-waits", []any{"abc"}, 0, false},
		{"realloc-drops", []any{"abc"}, 0, false},
		{"post-waits", nil, 1, false},
		{"post-drops", nil, 1, false},
	} {
		calls = 0
		_, _, err := b.Invoke(context.Background(), link.Request{Func: tc.name, Args: tc.args, Limits: link.Limits{Payload: 1 << 20}})
		if tc.ok != (err == nil) || calls != tc.allowed {
			t.Errorf("%s: %v after %d calls, want %d", tc.name, err, calls, tc.allowed)
		}
		if !tc.ok && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "cannot leave the component instance")) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestAResourceExportedAsAnotherWorks: who sees two resources where there is one can use both.
func TestAResourceExportedAsAnotherWorks(t *testing.T) {
	b, err := program(t, core.Way(0), "ascribed").Bind()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	v, _, err := b.Invoke(context.Background(), link.Request{Func: "run", Args: []any{uint32(9)}, Limits: link.Limits{Payload: 1 << 20}})
	if err != nil || v != uint32(9) {
		t.Errorf("run = %v, %v", v, err)
	}
}
