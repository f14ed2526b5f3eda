package wasm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/link"
)

// exampleComponent reads a component of the tests.
func exampleComponent(name string) []byte {
	code, err := os.ReadFile(filepath.Join("link", "testdata", name+".wasm"))
	if err != nil {
		log.Fatal(err)
	}
	return code
}

// Compile once, bind once, invoke any number of times; each call finds fresh state.
func Example() {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close(ctx)
	component, err := engine.Compile(ctx, exampleComponent("adder"))
	if err != nil {
		log.Fatal(err)
	}
	bound, err := component.Bind(nil) // WASI is always there, with an empty world
	if err != nil {
		log.Fatal(err)
	}
	sum, _, err := bound.Invoke(ctx, wasm.Invocation{Func: "add", Args: []any{uint32(40), uint32(2)}})
	fmt.Println(sum, err)
	text, _, err := bound.Invoke(ctx, wasm.Invocation{Func: "echo", Args: []any{"grüezi"}})
	fmt.Println(text, err)
	// Output:
	// 42 <nil>
	// grüezi <nil>
}

// A host offers interfaces; resources are Go values behind handles.
func ExampleHosts() {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close(ctx)
	component, err := engine.Compile(ctx, exampleComponent("host-resource"))
	if err != nil {
		log.Fatal(err)
	}
	type counter struct{ value uint32 }
	hosts := &wasm.Hosts{}
	hosts.Add(&wasm.Interface{
		Name: "test:host/counters@1.2.0",
		Funcs: map[string]wasm.HostFunc{
			"[constructor]counter": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
				return wasm.Handle{Rep: &counter{args[0].(uint32)}}, nil
			},
			"[method]counter.bump": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
				c := args[0].(wasm.Handle).Rep.(*counter)
				c.value += args[1].(uint32)
				return c.value, nil
			},
			"[static]counter.count": func(context.Context, *wasm.Call, []any) (any, error) { return uint32(0), nil },
		},
		Resources: map[string]func(context.Context, *wasm.Call, any){
			"counter": func(_ context.Context, _ *wasm.Call, rep any) { fmt.Println("dropped at", rep.(*counter).value) },
		},
	})
	bound, err := component.Bind(hosts)
	if err != nil {
		log.Fatal(err)
	}
	v, _, err := bound.Invoke(ctx, wasm.Invocation{Func: "work", Args: []any{uint32(10)}})
	fmt.Println(v, err)
	// Output:
	// dropped at 12
	// 12 <nil>
}

// Whatever a guest does, the call ends: at its deadline, or at a limit. What it took is told.
func ExampleInvocation_limits() {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close(ctx)
	component, err := engine.Compile(ctx, exampleComponent("hostile"))
	if err != nil {
		log.Fatal(err)
	}
	bound, err := component.Bind(&wasm.Hosts{TrapMissing: true})
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = bound.Invoke(ctx, wasm.Invocation{Func: "spin", Limits: wasm.Limits{Wall: 20 * time.Millisecond}})
	fmt.Println(fault.KindOf(err))
	_, _, err = bound.Invoke(ctx, wasm.Invocation{Func: "spin", Limits: wasm.Limits{Fuel: 100_000}})
	fmt.Println(fault.KindOf(err))
	_, stats, err := bound.Invoke(ctx, wasm.Invocation{Func: "hog", Limits: wasm.Limits{Memory: 8 << 20}})
	fmt.Println(stats.PeakMemory <= 8<<20, err)
	_, _, err = bound.Invoke(ctx, wasm.Invocation{Func: "trap"})
	var trap *wasm.Trap
	_, _, code := fault.Detail(err)
	fmt.Println(errors.As(err, &trap), code == link.TrapCode, trap.Reason)
	// Output:
	// timeout
	// exhausted
	// true <nil>
	// true true unreachable
}

// With an owner, the instance is put back into its first state after the call and kept for the
// owner's next one: fresh state at the price of a reset.
func ExampleInvocation_owner() {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close(ctx)
	component, err := engine.Compile(ctx, exampleComponent("adder"))
	if err != nil {
		log.Fatal(err)
	}
	bound, err := component.Bind(nil)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		_, stats, err := bound.Invoke(ctx, wasm.Invocation{Func: "echo", Args: []any{"hello"}, Owner: "tenant a"})
		fmt.Println(stats.Kept, err)
	}
	// Output:
	// true <nil>
	// true <nil>
}

// Reflection tells what a component needs and offers before it runs.
func ExampleComponent_Imports() {
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close(ctx)
	component, err := engine.Compile(ctx, exampleComponent("host-resource"))
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range component.Imports() {
		fmt.Println(i.Name, i.Order)
	}
	_, err = component.Bind(nil)
	fmt.Println(err)
	// Output:
	// test:host/counters@1.2.0 [[constructor]counter [method]counter.bump [static]counter.count]
	// import test:host/counters@1.2.0#[constructor]counter: no host function of this name is offered
}
