package wasm_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"greentic.dev/wasm"
)

func TestMissingImportsAreListed(t *testing.T) {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(ctx)
	code, err := os.ReadFile("../examples/helpdesk/pack/components/helpdesk.tickets/component.wasm")
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	missing := c.Missing(nil)
	if !slices.Contains(missing, wasm.Need{Interface: "greentic:state/state-store@1.0.0", Func: "read"}) {
		t.Errorf("%v", missing)
	}
	hosts := &wasm.Hosts{}
	for _, n := range missing {
		if strings.HasPrefix(n.Interface, "wasi:") {
			t.Errorf("%v is missing", n)
		}
		hosts.Add(&wasm.Interface{Name: n.Interface, Funcs: map[string]wasm.HostFunc{"read": nil}})
	}
	if still := c.Missing(hosts); len(still) != len(missing) {
		t.Errorf("an interface without the functions is enough: %v", still)
	}
}
