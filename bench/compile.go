//go:build unix

package main

import (
	"context"
	"os"
	"time"

	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/rewrite"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// compiling measures the way from bytes to code: cold, and from the cache on disk.
func compiling(ctx context.Context) ([]figure, error) {
	var list []figure
	code, err := public("ai.greentic.component-adaptive-card.wasm")
	if code == nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	load := func() (used, took time.Duration, err error) {
		e, err := wasm.New(ctx, wasm.Options{CacheDir: dir})
		if err != nil {
			return 0, 0, err
		}
		defer e.Close(ctx)
		begin, start := cpu(), time.Now()
		_, err = e.Compile(ctx, code)
		return cpu() - begin, time.Since(start), err
	}
	cold, _, err := load()
	if err != nil {
		return nil, err
	}
	list = append(list, figure{Name: "compile_5700k", Value: cold.Seconds() / (float64(len(code)) / 1e6), Unit: "CPU-s per MB", Bar: bar(0.6)})
	var warm []float64
	for range 5 {
		_, took, err := load()
		if err != nil {
			return list, err
		}
		warm = append(warm, float64(took.Microseconds())/1e3)
	}
	list = append(list, figure{Name: "load_cached_5700k", Value: median(warm), Unit: "ms", Bar: bar(250)})
	share, err := safePoints(ctx)
	return append(list, share...), err
}

// safePoints compares the main module of the Telegram provider with and without what the
// rewriter inserts: describing itself, which is all computing.
func safePoints(ctx context.Context) ([]figure, error) {
	code, err := public("telegram.wasm")
	if code == nil {
		return nil, err
	}
	decoded, err := binary.Decode(code, binary.Limits{})
	if err != nil {
		return nil, err
	}
	var main []byte
	for _, d := range decoded.Defs {
		if d.CoreModule != nil && len(d.CoreModule.Code) > len(main) {
			main = d.CoreModule.Code
		}
	}
	plain, closePlain, err := plainFunc(ctx, main)
	if err != nil {
		return nil, err
	}
	defer closePlain()
	safe, closeSafe, err := safeFunc(ctx, main)
	if err != nil {
		return nil, err
	}
	defer closeSafe()
	var ratios []float64
	for range 5 { // in turns, so that both see the same machine
		a, err := perOp(plain)
		if err != nil {
			return nil, err
		}
		b, err := perOp(safe)
		if err != nil {
			return nil, err
		}
		ratios = append(ratios, 100*(b/a-1))
	}
	return []figure{{Name: "safepoint_cost", Value: median(ratios), Unit: "% more CPU, describe of a provider", Bar: bar(25)}}, nil
}

// describing calls the module's export twice over: the function and its post-return.
func describing(ctx context.Context, m api.Module) func() error {
	const name = "greentic:component/descriptor@0.6.1#describe"
	call, after := m.ExportedFunction(name), m.ExportedFunction("cabi_post_"+name)
	return func() error {
		r, err := call.Call(ctx)
		if err == nil && after != nil {
			_, err = after.Call(ctx, r...)
		}
		return err
	}
}

func nothing(context.Context, api.Module, []uint64) {}

func plainFunc(ctx context.Context, src []byte) (func() error, func(), error) {
	r := wazero.NewRuntime(ctx)
	done := func() { _ = r.Close(ctx) }
	c, err := r.CompileModule(ctx, src)
	if err != nil {
		return nil, done, err
	}
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range c.ImportedFunctions() {
		module, name, _ := f.Import()
		if builders[module] == nil {
			builders[module] = r.NewHostModuleBuilder(module)
		}
		builders[module].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(nothing), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			return nil, done, err
		}
	}
	m, err := r.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return nil, done, err
	}
	return describing(ctx, m), done, nil
}

func safeFunc(ctx context.Context, src []byte) (func() error, func(), error) {
	e, err := core.New(ctx, core.Options{})
	if err != nil {
		return nil, nil, err
	}
	done := func() { _ = e.Close(ctx) }
	m, err := rewrite.Parse(src, rewrite.Limits{})
	if err != nil {
		return nil, done, err
	}
	names := make([]rewrite.Rename, len(m.Imports))
	funcs := make([]core.HostFunc, len(m.Imports))
	for n, i := range m.Imports {
		names[n] = rewrite.Rename{Module: "h", Name: i.Module + " " + i.Name}
		funcs[n] = core.HostFunc{Name: names[n].Name, Params: i.Type.Params, Results: i.Type.Results, Fn: nothing}
	}
	c, err := e.Compile(ctx, m, names)
	if err != nil {
		return nil, done, err
	}
	h, err := e.HostModule(ctx, funcs)
	if err != nil {
		return nil, done, err
	}
	i, err := e.Instantiate(ctx, c, core.InstanceOptions{Resolve: func(string) api.Module { return h }})
	if err != nil {
		return nil, done, err
	}
	return describing(ctx, i.Module()), done, nil
}
