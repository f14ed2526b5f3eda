package core_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"greentic.dev/wasm/core"
	"greentic.dev/wasm/rewrite"
)

// coreModules are the core modules of a component and of the components inside it.
func coreModules(t *testing.T, component []byte) (out [][]byte) {
	t.Helper()
	for pos := 8; pos < len(component); {
		id, size, shift := component[pos], 0, 0
		for pos++; ; pos++ {
			size |= int(component[pos]&0x7f) << shift
			if shift += 7; component[pos] < 0x80 {
				break
			}
		}
		body := component[pos+1 : pos+1+size]
		switch pos += 1 + size; id {
		case 1:
			out = append(out, body)
		case 4:
			out = append(out, coreModules(t, body)...)
		}
	}
	return out
}

// public calls f with every core module of the public components on this machine.
func public(t *testing.T, f func(t *testing.T, src []byte)) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no components in %s: %v", dir, err)
	}
	for _, file := range files {
		src := read(t, file)
		if len(src) > 2<<20 {
			continue // compiling it twice takes too long for a test
		}
		for n, m := range coreModules(t, src) {
			t.Run(fmt.Sprint(filepath.Base(file), "/", n), func(t *testing.T) { f(t, m) })
		}
	}
}

// side is a module instance, plain or rewritten.
type side struct {
	module api.Module
	memory api.Memory
}

// call calls an exported function and says all there is to say about it.
func (s side) call(name string, args []uint64) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	results, err := s.module.ExportedFunction(name).Call(ctx, args...)
	reason, trace := core.Explain(err)
	h := fnv.New64a()
	if s.memory != nil {
		b, _ := s.memory.Read(0, s.memory.Size())
		_, _ = h.Write(b)
	}
	return fmt.Sprintf("%v %s %v memory %x", results, reason, len(trace), h.Sum64())
}

// stub answers every import from its name and arguments, so that both sides see the same. What
// is above the 32 bits of an argument is undefined.
func stub(name string, params []api.ValueType, results int) api.GoModuleFunc {
	return func(_ context.Context, _ api.Module, stack []uint64) {
		seed := uint64(len(name))
		for i, p := range params {
			if p == api.ValueTypeI32 || p == api.ValueTypeF32 {
				seed += uint64(uint32(stack[i]))
			} else {
				seed += stack[i]
			}
		}
		for i := range results {
			stack[i] = seed % 3
		}
	}
}

func plainSide(t *testing.T, src []byte) side {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	c, err := r.CompileModule(ctx, src)
	if err != nil {
		t.Fatal(err)
	}
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range c.ImportedFunctions() {
		module, name, _ := f.Import()
		if builders[module] == nil {
			builders[module] = r.NewHostModuleBuilder(module)
		}
		builders[module].NewFunctionBuilder().WithGoModuleFunction(stub(name, f.ParamTypes(), len(f.ResultTypes())), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	for _, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	m, err := r.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ExportedMemories()) == 0 {
		return side{module: m}
	}
	return side{m, m.Memory()}
}

func rewrittenSide(t *testing.T, m *rewrite.Module) side {
	t.Helper()
	e := engine(t, "")
	names := make([]rewrite.Rename, len(m.Imports))
	var funcs []core.HostFunc
	for n, i := range m.Imports {
		names[n] = rewrite.Rename{Module: "h", Name: fmt.Sprint(n)}
		funcs = append(funcs, core.HostFunc{Name: names[n].Name, Params: i.Type.Params, Results: i.Type.Results})
	}
	c, err := e.Compile(t.Context(), m, names)
	if err != nil {
		t.Fatal(err)
	}
	var h api.Module
	if len(funcs) > 0 {
		for n := range funcs {
			funcs[n].Fn = stub(m.Imports[n].Name, funcs[n].Params, len(funcs[n].Results))
		}
		if h, err = e.HostModule(t.Context(), funcs); err != nil {
			t.Fatal(err)
		}
	}
	i := instance(t, e, c, core.InstanceOptions{Resolve: func(string) api.Module { return h }})
	return side{i.Module(), i.Memory()}
}

// Whatever a real module does without our changes it does with them: results, traps, memory.
func TestPublicModulesComputeTheSameRewritten(t *testing.T) {
	public(t, func(t *testing.T, src []byte) {
		m, err := rewrite.Parse(src, rewrite.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range m.Imports {
			if i.Kind != rewrite.Func || i.Module == "" {
				t.Skipf("imports %s %q %q, which is not a function of a named module", i.Kind, i.Module, i.Name)
			}
		}
		plain := plainSide(t, src)
		rewritten := rewrittenSide(t, m)
		called := 0
		for _, e := range m.Exports {
			if e.Kind != rewrite.Func {
				continue
			}
			for _, seed := range []uint64{0, 8, 1 << 16} {
				args := make([]uint64, len(e.Type.Params))
				for n, p := range e.Type.Params {
					if args[n] = seed * uint64(n+1); p == api.ValueTypeF32 || p == api.ValueTypeF64 {
						args[n] = 0
					}
				}
				want, got := plain.call(e.Name, args), rewritten.call(e.Name, args)
				if strings.Contains(want, "deadline") || strings.Contains(got, "deadline") {
					t.Skip("endless with such imports; how far it came is chance")
				}
				if want != got {
					t.Fatalf("%s%v:\nplain     %s\nrewritten %s", e.Name, args, want, got)
				}
				called++
			}
		}
		t.Logf("%d calls", called)
	})
}
