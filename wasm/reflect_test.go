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
	still := c.Missing(hosts)
	if len(still) != len(missing) || !still[0].Offered || missing[0].Offered {
		t.Errorf("an interface without the functions: %v", still)
	}
	if names := wasm.Offered(hosts); !slices.Contains(names, missing[0].Interface) || !slices.Contains(names, "wasi:cli/exit@0.2.9") {
		t.Errorf("offered: %v", names)
	}
}
