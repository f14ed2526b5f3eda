package wasm_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

func TestValuesGoThroughAGuest(t *testing.T) {
	b := bind(t, load(t, engine(t), "adder"), nil)
	const values = "test:values/values@1.0.0"
	long := strings.Repeat("grün ", 40_000)
	person := wasm.Record{{Name: "name", Value: "Ada"}, {Name: "tags", Value: []any{"x", "", "ÿ"}}}
	for _, tc := range []struct {
		iface, name string
		arg, want   any
	}{
		{"", "echo", "", ""},
		{"", "echo", "hello", "hello"},
		{"", "echo", long, long},
		{"", "echo-bytes", bytes.Repeat([]byte{1, 2}, 70_000), bytes.Repeat([]byte{1, 2}, 70_000)},
		{"", "echo-wide", []any{"a", "bc", ""}, []any{"a", "bc", ""}},
		{values, "check", person, wasm.OK(person)},
		{values, "check", wasm.Record{{Name: "name", Value: ""}, {Name: "tags", Value: []any{}}}, wasm.Err("empty")},
		{values, "grow", wasm.Variant{Case: "none"}, wasm.Variant{Case: "none"}},
		{values, "grow", wasm.Variant{Case: "num", Value: uint32(1<<32 - 1)}, wasm.Variant{Case: "big", Value: uint64(1<<32 - 1)}},
		{values, "grow", wasm.Variant{Case: "big", Value: uint64(7)}, wasm.Variant{Case: "none"}},
	} {
		if got := must(t, b, tc.iface, tc.name, tc.arg); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s(%.40v) = %.60v, want %.60v", tc.name, tc.arg, got, tc.want)
		}
	}
}

// counters is a host interface with a resource; alive counts the counters not yet destroyed.
type counters struct{ alive, made int }

type counter struct{ n uint32 }

func (c *counters) hosts(name string) *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{
		Name: name,
		Funcs: map[string]wasm.HostFunc{
			"[constructor]counter": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
				c.alive++
				c.made++
				return wasm.Handle{Rep: &counter{args[0].(uint32)}}, nil
			},
			"[method]counter.bump": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
				self := args[0].(wasm.Handle).Rep.(*counter)
				self.n += args[1].(uint32)
				return self.n, nil
			},
			"[static]counter.count": func(context.Context, *wasm.Call, []any) (any, error) { return uint32(c.made), nil },
		},
		Resources: map[string]func(context.Context, *wasm.Call, any){
			"counter": func(_ context.Context, _ *wasm.Call, rep any) {
				if rep.(*counter) != nil {
					c.alive--
				}
			},
		},
	})
	return h
}

func TestHostResourcesLiveExactlyAsLongAsTheirHandles(t *testing.T) {
	c := &counters{}
	b := bind(t, load(t, engine(t), "host-resource"), c.hosts("test:host/counters@1.2.0"))
	if v := must(t, b, "", "work", uint32(40)); v != uint32(42) || c.alive != 0 {
		t.Errorf("work = %v, %d alive", v, c.alive)
	}
	if must(t, b, "", "leak", uint32(1)); c.alive != 0 {
		t.Errorf("a leaked counter outlives its invocation")
	}
	given := must(t, b, "", "give", uint32(9)).(wasm.Handle)
	if given.Rep.(*counter).n != 9 || c.alive != 1 {
		t.Errorf("a counter given to the host was destroyed: %+v, %d", given, c.alive)
	}
	if v := must(t, b, "", "take", given); v != uint32(14) || c.alive != 0 {
		t.Errorf("take = %v, %d alive", v, c.alive)
	}
	c.alive++
	mine := &counter{n: 1}
	if v := must(t, b, "", "lend", wasm.Handle{Rep: mine}); v != uint32(6) || c.alive != 1 {
		t.Errorf("lend = %v, %d alive: dropping a borrow must not destroy", v, c.alive)
	}
	if _, err := call(b, "", "keep", wasm.Handle{Rep: mine}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a borrow that was not dropped: %v", err)
	}
}

func TestHandlesCannotBeForged(t *testing.T) {
	c := &counters{}
	b := bind(t, load(t, engine(t), "host-resource"), c.hosts("test:host/counters@1.2.0"))
	for _, f := range []string{"twice", "forge"} {
		if _, err := call(b, "", f); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", f, err)
		}
	}
	_, _, err := b.Invoke(context.Background(), wasm.Invocation{Func: "hoard", Args: []any{uint32(1000)}, Limits: wasm.Limits{Handles: 100}})
	if !fault.Is(err, fault.Exhausted) || c.alive != 0 {
		t.Errorf("hoard: %v, %d alive", err, c.alive)
	}
}

func TestInterfaceVersionsMatchExactlyExceptWASI(t *testing.T) {
	c := load(t, engine(t), "host-resource")
	for _, name := range []string{"test:host/counters@1.2.1", "test:host/counters@1.3.0", "test:host/counters"} {
		if _, err := c.Bind((&counters{}).hosts(name)); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestComponentsCallEachOther(t *testing.T) {
	b := bind(t, load(t, engine(t), "composed"), nil)
	const user, maker = "test:composed/user@1.0.0", "test:composed/maker@1.0.0"
	if v := must(t, b, user, "life", uint32(5)); v != uint32(105*1000+105) {
		t.Errorf("life = %v", v)
	}
	if v := must(t, b, user, "loud", "Grüße abc"); v != "GRüßE ABC" {
		t.Errorf("loud = %v", v)
	}
	if _, err := call(b, user, "hand-over", uint32(1)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("using a handle that was given away: %v", err)
	}
	if v := must(t, b, maker, "shout", "x"); v != "X" {
		t.Errorf("shout = %v", v)
	}
}

func TestComponentsPassEachOtherCoreModules(t *testing.T) {
	b := bind(t, load(t, engine(t), "module-import"), nil)
	for name, want := range map[string]uint32{"seven": 7, "eight": 8} {
		if v := must(t, b, "", name); v != want {
			t.Errorf("%s = %v", name, v)
		}
	}
}

func TestPostReturnMayUseItsOwnResources(t *testing.T) {
	if v := must(t, bind(t, load(t, engine(t), "post-return"), nil), "", "f"); v != uint32(5) {
		t.Errorf("f = %v", v)
	}
}
