package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// The components of the helpdesk example, written in standard Go.
const guests = "../../examples/helpdesk/pack/components"

func newEngine(t *testing.T) *wasm.Engine {
	t.Helper()
	e, err := wasm.New(t.Context(), wasm.Options{CacheDir: codeCache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t *testing.T, s setting, path string) *Component {
	t.Helper()
	code := read(t, path)
	if s.host.deps.Engine == nil {
		s.host.deps.Engine = newEngine(t)
	}
	c, err := s.host.Load(t.Context(), strings.TrimSuffix(filepath.Base(path), ".wasm"), code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func helpdesk(t *testing.T, s setting, name string) *Component {
	return load(t, s, filepath.Join(guests, name, "component.wasm"))
}

func TestANodeAnswers(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	c := helpdesk(t, s, "helpdesk.triage")
	if c.ABI() != ABINode {
		t.Errorf("called through %s", c.ABI())
	}
	got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Flow: "f", Node: "n", Operation: "classify", Input: map[string]any{"text": "the printer is on fire, urgent"}})
	if err != nil || !got.OK {
		t.Fatalf("%+v %v", got, err)
	}
	out := got.Output.(map[string]any)
	if out["status"] != "urgent" || out["priority"] != "high" {
		t.Errorf("%v", out)
	}
	if got.Stats.Fuel == 0 || got.Stats.Wall <= 0 {
		t.Errorf("stats %+v", got.Stats)
	}
}

func TestANodeDescribesItself(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	d, err := helpdesk(t, s, "helpdesk.tickets").Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range d.Operations {
		names = append(names, o.Name)
		if _, ok := o.Input.(map[string]any); !ok {
			t.Errorf("%s has input schema %v", o.Name, o.Input)
		}
	}
	if !slices.Equal(names, []string{"show", "open", "list", "close"}) || d.Name != "helpdesk.tickets" {
		t.Errorf("%s %v", d.Name, names)
	}
}

func TestStateOutlivesTheInstanceAndIsGranted(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	c, state := helpdesk(t, s, "helpdesk.tickets"), notebook{}
	request := Request{Operation: "open", Input: map[string]any{"summary": "printer", "category": "hardware", "priority": "high"}, State: state, Grants: Grants{State: true}}
	opened, err := c.Invoke(t.Context(), ofTenant("a"), request)
	if err != nil || !opened.OK {
		t.Fatalf("%+v %v", opened, err)
	}
	if len(state) == 0 {
		t.Fatal("nothing was written")
	}
	request.Operation, request.Input = "list", map[string]any{}
	listed, err := c.Invoke(t.Context(), ofTenant("a"), request)
	if err != nil || listed.Output.(map[string]any)["status"] != "some" {
		t.Errorf("%+v %v", listed, err)
	}
	if len(listed.Calls) == 0 || listed.Calls[0].Import != "greentic:state/state-store@1.0.0#read" || listed.Calls[0].Outcome != "ok" {
		t.Errorf("recorded %+v", listed.Calls)
	}
	request.Grants.State = false
	denied, err := c.Invoke(t.Context(), ofTenant("a"), request)
	if err == nil && denied.OK {
		t.Errorf("without a grant it answers %+v", denied.Output)
	}
	if len(denied.Calls) != 1 || denied.Calls[0].Outcome != "denied" {
		t.Errorf("recorded %+v", denied.Calls)
	}
}

// TestLargePayloadsReachAGoNode: the host writes them through realloc, during which a component
// must not call out, not even for the time (docs/decisions/0015).
func TestLargePayloadsReachAGoNode(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	triage, tickets := helpdesk(t, s, "helpdesk.triage"), helpdesk(t, s, "helpdesk.tickets")
	for _, n := range []int{300_000, 1_000_000, 4_000_000} {
		text := strings.Repeat("x", n)
		got, err := triage.Invoke(t.Context(), ofTenant("a"), Request{Operation: "classify", Input: map[string]any{"text": text}})
		if err != nil || !got.OK {
			t.Errorf("input of %d bytes: %v %v", n, got.Fail, err)
		}
		request := Request{Operation: "open", Input: map[string]any{"summary": text, "category": "hardware", "priority": "high"}, State: notebook{}, Grants: Grants{State: true}}
		if got, err := tickets.Invoke(t.Context(), ofTenant("a"), request); err != nil || !got.OK {
			t.Fatalf("writing %d bytes: %v %v", n, got.Fail, err)
		}
		request.Operation, request.Input = "list", map[string]any{}
		if got, err := tickets.Invoke(t.Context(), ofTenant("a"), request); err != nil || got.Output.(map[string]any)["status"] != "some" {
			t.Errorf("reading %d bytes of state: %v %v", n, got.Fail, err)
		}
	}
}

func moody(t *testing.T, s setting) *Component { return load(t, s, "testdata/moody.wasm") }

func TestAProviderAnswersCBOR(t *testing.T) {
	c := moody(t, newSetting(t, ofTenant("a"), Request{}))
	input := map[string]any{"n": 3.0, "l": []any{"x", nil, 1.5}, "config": map[string]any{"c": true}}
	got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "echo", Input: map[string]any{"n": 3.0, "l": []any{"x", nil, 1.5}}, Config: map[string]any{"c": true}})
	input["n"] = int64(3)
	if err != nil || !reflect.DeepEqual(got.Output, input) {
		t.Errorf("%#v %v", got.Output, err)
	}
}

func TestAScratchDirectoryMustBeGranted(t *testing.T) {
	c := moody(t, newSetting(t, ofTenant("a"), Request{}))
	for range 2 { // fresh, then kept
		for granted, want := range map[bool]int64{false: 0, true: 1} {
			got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "directories", Grants: Grants{Scratch: granted}})
			if err != nil || got.Output != want {
				t.Errorf("granted %v: %v directories, %v; want %d", granted, got.Output, err, want)
			}
		}
	}
}

// TestHostileGuestsAreEnded: whatever a guest does, the caller gets a named error in time and
// the next call is served.
func TestHostileGuestsAreEnded(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	s.host.opts.Limits = wasm.Limits{Memory: 4 << 20, Wall: 300 * time.Millisecond}
	c := moody(t, s)
	for operation, want := range map[string]fault.Kind{"trap": fault.Invalid, "loop": fault.Timeout, "hog": fault.Exhausted, "garbage": fault.Invalid} {
		got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: operation})
		if !fault.Is(err, want) || got.OK || !strings.HasPrefix(err.Error(), "component moody "+operation) {
			t.Errorf("%s: %+v %v, want %s", operation, got, err, want)
		}
	}
	var trap *wasm.Trap
	if _, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "trap"}); !errors.As(err, &trap) || len(trap.Backtrace) == 0 {
		t.Errorf("a trap without backtrace: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Invoke(ctx, ofTenant("a"), Request{Operation: "loop"}); !fault.Is(err, fault.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	late := ofTenant("a")
	late.Deadline = time.Now().Add(20 * time.Millisecond)
	if _, err := c.Invoke(t.Context(), late, Request{Operation: "loop"}); !fault.Is(err, fault.Timeout) {
		t.Errorf("the tenant's deadline: %v", err)
	}
	if got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "echo", Input: "still here"}); err != nil || got.Output != "still here" {
		t.Errorf("afterwards: %+v %v", got, err)
	}
}

func TestATrapQuotesTheGuestsLastWords(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	_, err := moody(t, s).Invoke(t.Context(), ofTenant("a"), Request{Operation: "weep", Input: "alas, poor host"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "alas, poor host") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(s.log.String(), "alas, poor host") || !strings.Contains(s.log.String(), `"tenant":"a"`) {
		t.Errorf("log %s", s.log)
	}
}

func TestUnknownWorldsAreNamed(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	s.host.deps.Engine = newEngine(t)
	code := read(t, "testdata/nothing.wasm")
	for name, c := range map[string]struct {
		code []byte
		kind fault.Kind
		says string
	}{
		"another world": {code, fault.Unsupported, "unknown world: it exports example:other/world@1.0.0"},
		"no component":  {[]byte("\x00asm\x01\x00\x00\x00"), fault.Invalid, ""},
		"cut short":     {code[:len(code)-7], fault.Invalid, ""},
		"nothing":       {nil, fault.Invalid, ""},
	} {
		if _, err := s.host.Load(t.Context(), "x", c.code); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAMissingImportIsNamedWithWhatItWouldTake: before anything runs, interface, function and
// capability are told.
func TestAMissingImportIsNamedWithWhatItWouldTake(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	s.host.deps.Engine = newEngine(t)
	_, err := s.host.Load(t.Context(), "x", read(t, "testdata/wants.wasm"))
	want := "load component x: it needs host:oauth-broker: import greentic:oauth-broker/broker-v1@1.0.0#get-token: no host function of this name is offered"
	if !fault.Is(err, fault.Unsupported) || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestBadTenantsRunNothing(t *testing.T) {
	c := moody(t, newSetting(t, ofTenant("a"), Request{}))
	if _, err := c.Invoke(t.Context(), ofTenant("a/b"), Request{Operation: "echo"}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
