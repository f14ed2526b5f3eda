package wasm_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"

	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// example compiles a component of the helpdesk example, which is written in Go.
func example(t testing.TB, e *wasm.Engine, name string) *wasm.Component {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("..", "examples", "helpdesk", "pack", "components", name, "component.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(context.Background(), code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// nodeCall calls a node with CBOR of {"text": "printer"}.
func nodeCall(op string, cfg wasi.Config) wasm.Invocation {
	e := envelope()
	for i := range e {
		if e[i].Name == "payload-cbor" {
			e[i].Value = []byte("\xa1\x64text\x67printer")
		}
	}
	return wasm.Invocation{Interface: node, Func: "invoke", Args: []any{op, e}, WASI: cfg}
}

// sameKeptAndFresh compares rounds calls of two owners in kept instances with one in a fresh
// instance: the answer and what was used.
func sameKeptAndFresh(t *testing.T, b *wasm.Bound, rounds int, inv wasm.Invocation) {
	t.Helper()
	want, fresh, err := b.Invoke(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	inv.Owner = "0"
	if _, first, _ := b.Invoke(t.Context(), inv); !first.Kept || fresh.Kept {
		t.Errorf("%s: kept %+v, fresh %+v", inv.Func, first, fresh)
	}
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			inv := inv
			for i := range rounds / 2 {
				inv.Owner = strconv.Itoa((worker + i/10) % 2)
				got, used, err := b.Invoke(t.Context(), inv)
				if err != nil || !used.Kept || !reflect.DeepEqual(got, want) || used.PeakMemory != fresh.PeakMemory {
					t.Errorf("%s round %d: %v %+v, fresh %v %+v, %v", inv.Func, i, got, used, want, fresh, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestGoGuestsAnswerTheSameInKeptInstances(t *testing.T) {
	b := bind(t, example(t, engine(t), "helpdesk.triage"), nil)
	sameKeptAndFresh(t, b, 200, nodeCall("classify", wasi.Config{}))
	sameKeptAndFresh(t, b, 200, nodeCall("classify", wasi.Config{Files: fstest.MapFS{"a": {Data: []byte("x")}}}))
}

func TestPublicComponentsAnswerTheSameInKeptInstances(t *testing.T) {
	e := engine(t)
	telegram := bind(t, public(t, e, "telegram.wasm"), telegramHosts(nil))
	sameKeptAndFresh(t, telegram, 1000, wasm.Invocation{Interface: telegramSchema, Func: "healthcheck"})
	sameKeptAndFresh(t, telegram, 1000, wasm.Invocation{Interface: telegramSchema, Func: "invoke", Args: []any{"send", []byte(telegramSend)}})
	sameKeptAndFresh(t, telegram, 1000, wasm.Invocation{Interface: "greentic:component/descriptor@0.6.1", Func: "describe"})
	sameKeptAndFresh(t, bind(t, public(t, e, "component-msg2events.wasm"), nil), 1000, nodeCall("extract", wasi.Config{}))
	sameKeptAndFresh(t, bind(t, public(t, e, "component-events2msg.wasm"), nil), 1000, nodeCall("render", wasi.Config{}))
	card := bind(t, public(t, e, "ai.greentic.component-adaptive-card.wasm"), &wasm.Hosts{TrapMissing: true})
	sameKeptAndFresh(t, card, 1000, wasm.Invocation{Interface: "greentic:component/component-descriptor@0.6.0", Func: "describe"})
}
