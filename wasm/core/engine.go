package core

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/rewrite"
)

// Options configures an engine; the zero value is safe.
type Options struct {
	CacheDir string // compiled code is kept here between processes; empty means memory only
	Images   Way    // how instances are put back into an image

	// CacheSize is how many bytes of compiled code the folder may hold when an engine is made; the
	// oldest entries are removed. 0 means 4 GiB.
	CacheSize int64

	// Warn is told when a file of the cache is not what was written, and made again. It may be
	// called from any goroutine; nil tells nobody.
	Warn func(message string)
}

// Way is how an instance is put back into an image; a later one stands in for what a system lacks.
type Way int

// The ways to restore an instance.
const (
	ByScanning Way = iota // a mapped image: pages that were written are found by the kernel and copied back
	ByPageMap             // the same, found in the page map
	ByDropping            // a mapped image: pages that were written are given up
	ByCopying             // a copied image
)

// Engine compiles and instantiates rewritten modules on one wazero runtime. It is safe for
// concurrent use.
type Engine struct {
	runtime wazero.Runtime
	cache   *codeCache // nil without a folder
	point   api.Module // what rewritten modules import, for instances that start
	resumed api.Module // and for those that do not
	images  Way

	// Pinned counts the callers that hold their thread, for package link, which bounds it.
	Pinned atomic.Int32

	mu         sync.Mutex
	compilings map[string]*compiling // by digest of the rewritten module
}

// features is what modules may use: the second version of the standard, tail calls (used by
// compilers for speed) and extended constants (used by dynamic linking).
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

// New makes an engine: wazero's compiler where it knows the processor, else its interpreter.
// The cache folder holds native code that will be executed, so it is made private; one that
// others may write is fault.Denied.
func New(ctx context.Context, o Options) (*Engine, error) {
	e := &Engine{images: o.Images, compilings: map[string]*compiling{}}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(features)
	if o.CacheDir != "" {
		var err error
		if e.cache, err = openCache(o.CacheDir, o.CacheSize, o.Warn); err != nil {
			return nil, err
		}
		config = config.WithCompilationCache(e.cache.wazero)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	var err error
	for _, m := range []struct {
		to     *api.Module
		starts uint64
	}{{&e.point, 1}, {&e.resumed, 0}} {
		*m.to, err = e.HostModule(ctx, []HostFunc{
			{Name: rewrite.PointName, Params: []api.ValueType{api.ValueTypeI32}, Fn: point},
			{Name: rewrite.StartName, Results: []api.ValueType{api.ValueTypeI32}, Fn: func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = m.starts }},
		})
		if err != nil {
			return nil, errors.Join(err, e.Close(ctx))
		}
	}
	return e, nil
}

// Close frees all code; the cache stays. No call may be running.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.close(ctx))
	}
	return fault.Wrap("core engine", err)
}

// HostFunc is a function that modules may import.
type HostFunc struct {
	Name            string
	Params, Results []api.ValueType
	Fn              api.GoModuleFunc // must not use its module argument: the caller may be a shim
}

// HostModule makes a nameless module of host functions, found by instances through their resolver.
func (e *Engine) HostModule(ctx context.Context, funcs []HostFunc) (api.Module, error) {
	b := e.runtime.NewHostModuleBuilder("host")
	for _, f := range funcs {
		b.NewFunctionBuilder().WithGoModuleFunction(f.Fn, f.Params, f.Results).WithName(f.Name).Export(f.Name)
	}
	compiled, err := b.Compile(ctx)
	if err != nil {
		return nil, fault.Wrap("host module", err)
	}
	m, err := e.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(""))
	return m, fault.Wrap("host module", err)
}
