package core

import (
	"context"
	"os"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"greentic.dev/greentic/fault"
)

// Options configures an engine; the zero value is safe.
type Options struct {
	CacheDir string // compiled code is kept here between processes; empty means memory only
}

// Engine compiles and instantiates rewritten modules on one wazero runtime. It is safe for
// concurrent use.
type Engine struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache // nil without a folder
	cacheDir string
	point    api.Module
}

// features is what modules may use: the second version of the standard, tail calls (used by
// compilers for speed) and extended constants (used by dynamic linking).
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

// New makes an engine. The cache folder holds native code that will be executed, so it is
// made private; one that others may write is fault.Denied.
func New(ctx context.Context, o Options) (*Engine, error) {
	e := &Engine{cacheDir: o.CacheDir}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(features)
	if o.CacheDir != "" {
		if err := privateDir(o.CacheDir); err != nil {
			return nil, err
		}
		cache, err := wazero.NewCompilationCacheWithDir(o.CacheDir)
		if err != nil {
			return nil, fault.As(fault.Unavailable, "compile cache", err)
		}
		e.cache, config = cache, config.WithCompilationCache(cache)
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	var err error
	e.point, err = e.HostModule(ctx, []HostFunc{{Name: pointName, Params: []api.ValueType{api.ValueTypeI32}, Fn: point}})
	if err != nil {
		return nil, err
	}
	return e, nil
}

func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.As(fault.Unavailable, "compile cache", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fault.As(fault.Unavailable, "compile cache", err)
	}
	if info.Mode().Perm()&0o022 != 0 && os.PathSeparator == '/' {
		return fault.Newf(fault.Denied, "compile cache", "others may write to %s, which holds code to execute", dir).WithFix("chmod 700 " + dir)
	}
	return nil
}

// Close frees all code and the cache handle; the files stay. No instance may be alive.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		if cerr := e.cache.Close(ctx); err == nil {
			err = cerr
		}
	}
	return fault.Wrap("core engine", err)
}

// Code is a rewritten, validated, compiled module, shared by its instances.
type Code struct {
	compiled   wazero.CompiledModule
	memory     *memoryType // defined; may be nil
	memories   int         // defined or imported
	tableBytes uint64
}

// Compile rewrites and compiles a module; imports has one entry per import, in order. An
// ill-typed module is fault.Invalid.
func (e *Engine) Compile(ctx context.Context, m *Module, imports []Rename) (*Code, error) {
	src, err := m.Rewrite(imports)
	if err != nil {
		return nil, err
	}
	compiled, err := e.runtime.CompileModule(ctx, src)
	if err != nil && e.cache != nil && strings.Contains(err.Error(), "compilationcache") {
		// An entry is damaged. wazero has no name for that; drop the entries and do the work.
		if err = dropEntries(e.cacheDir); err == nil {
			compiled, err = e.runtime.CompileModule(ctx, src)
		}
	}
	if err != nil {
		return nil, fault.As(fault.Invalid, "core module", err)
	}
	return newCode(m, compiled), nil
}

func dropEntries(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, d := range entries {
		files, err := os.ReadDir(dir + "/" + d.Name())
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := root.Remove(d.Name() + "/" + f.Name()); err != nil {
				return err
			}
		}
	}
	return nil
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

func newCode(m *Module, compiled wazero.CompiledModule) *Code {
	c := &Code{compiled: compiled, memory: m.memory, memories: m.memories}
	for _, t := range m.tables {
		c.tableBytes += 8 * uint64(t.min)
		if m.effects.grows {
			c.tableBytes += 8 * uint64(t.max-t.min)
		}
	}
	return c
}
