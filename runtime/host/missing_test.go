package host

import (
	"context"
	"os"
	"slices"
	"testing"

	"greentic.dev/wasm"
)

func TestWhatIsMissingIsNamedWithTheNearestThatIsOffered(t *testing.T) {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(ctx)
	code, err := os.ReadFile("../../cmd/greentic/testdata/components/missing.wasm")
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := engine.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	want := []Missing{
		{Interface: "greentic:http/http-client@1.2.0", Function: "send", Capability: "host:http", Nearest: "greentic:http/http-client@1.1.0"},
		{Interface: "greentic:state/state-stor@1.0.0", Function: "read", Capability: "host:state", Nearest: "greentic:state/state-store@1.0.0"},
		{Interface: "greentic:secrets-store/secrets-store@1.0.0", Function: "steal", Capability: "host:secrets", Offered: true},
		{Interface: "acme:mail/outbox@3.0.0", Function: "post", Capability: "acme:mail/outbox@3.0.0"},
		{Interface: "acme:mail/outbox@3.0.0", Function: "recall", Capability: "acme:mail/outbox@3.0.0"},
		{Function: "tick"},
	}
	h := New(Deps{Engine: engine}, Options{})
	if got := h.Missing(compiled); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if _, err := h.Load(ctx, "missing", code); err == nil {
		t.Error("it loads all the same")
	}
}

func TestAComponentThatCallsTheHostWhileItStartsIsNotKept(t *testing.T) {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(ctx)
	h := New(Deps{Engine: engine}, Options{})
	for file, want := range map[string]bool{
		"../../cmd/greentic/testdata/components/starts.wasm":                     false,
		"../../examples/helpdesk/pack/components/helpdesk.triage/component.wasm": true,
	} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.Load(ctx, "c", code)
		if err != nil {
			t.Fatal(err)
		}
		d, err := c.Describe(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := c.Kept(ctx, d.Interface); err != nil || kept != want {
			t.Errorf("%s: kept %v, %v", file, kept, err)
		}
	}
}
