package wasi

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wit"
)

// declared is WASI 0.2 as testdata writes it.
func declared(t *testing.T) *wit.Set {
	t.Helper()
	set, err := wit.ParseFS(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestEveryInterfaceIsWholeAndNothingIsInvented(t *testing.T) {
	set := declared(t)
	ours := map[string]*link.Interface{}
	for _, i := range Interfaces() {
		ours[i.Name] = i
		if set.Interface(i.Name) == nil {
			t.Errorf("%s is not in WASI", i.Name)
		}
	}
	for _, p := range set.Packages {
		for _, want := range p.Interfaces {
			have := ours[want.FullName()]
			if have == nil {
				t.Errorf("%s is missing", want.FullName())
				continue
			}
			for _, f := range want.Funcs {
				if have.Funcs[f.Name] == nil {
					t.Errorf("%s %s is missing", want.FullName(), f.Name)
				}
			}
			for name := range have.Funcs {
				if want.Func(name) == nil {
					t.Errorf("%s %s is not in WASI", want.FullName(), name)
				}
			}
			for _, d := range want.Types {
				if _, ok := have.Resources[d.Name]; d.Resource != nil && d.From == nil && !ok {
					t.Errorf("%s resource %s is missing", want.FullName(), d.Name)
				}
			}
		}
	}
}

func TestEveryResultFitsItsType(t *testing.T) {
	set := declared(t)
	for _, i := range Interfaces() {
		for name, f := range i.Funcs {
			ft := set.Interface(i.Name).Func(name)
			for _, cfg := range []Config{{}, {Files: tree()}, {Scratch: Scratch{Bytes: 1 << 10}}} {
				cfg.Args, cfg.Env, cfg.Stdin = []string{"a"}, [][2]string{{"k", "v"}}, strings.NewReader("some input")
				state := NewState(cfg)
				var args []any
				for _, p := range ft.Params {
					args = append(args, sample(state, p.Type))
				}
				result, err := f(t.Context(), &link.Call{System: state, Type: ft}, args)
				if err != nil {
					if !strings.HasPrefix(i.Name, "wasi:sockets/") && !strings.HasPrefix(i.Name, "wasi:cli/exit") {
						t.Errorf("%s %s: %v", i.Name, name, err)
					}
					continue
				}
				if err := lower(ft, result); err != nil {
					t.Errorf("%s %s gives %#v: %v", i.Name, name, result, err)
				}
			}
		}
	}
}

// sample is a value of a type, handles to what the functions accept.
func sample(state *State, t *binary.Type) any {
	switch t.Kind {
	case binary.Bool:
		return false
	case binary.U8:
		return uint8(1)
	case binary.U32:
		return uint32(1)
	case binary.U64:
		return uint64(1)
	case binary.String:
		return "a.txt"
	case binary.List:
		if t.Elem.Kind == binary.U8 {
			return []byte("x")
		}
		return []any{sample(state, t.Elem)}
	case binary.Enum:
		return enum(t.Names[0])
	case binary.Variant:
		return enum(t.Cases[0].Name)
	case binary.Option:
		return canon.Option{}
	case binary.Result:
		return canon.OK(nil)
	case binary.Flags:
		return canon.Flags{}
	case binary.Own, binary.Borrow:
		return own(map[string]any{
			"error": &Failure{errIO}, "pollable": moment(0), "input-stream": stdin, "output-stream": stdout,
			"descriptor": scratchRootOr(state), "directory-entry-stream": &listing{state: state}, "network": network{},
		}[t.Resource.Name])
	}
	return nil
}

// scratchRootOr is the scratch directory where there is one, else the root of the files.
func scratchRootOr(state *State) any {
	if state.scratch != nil {
		return scratchRoot{}
	}
	return asset{path: ".", dir: true}
}

// lower writes a result into a guest's memory as a call would.
func lower(ft *binary.Func, result any) error {
	const size = 1 << 20
	mem, next := make([]byte, size), uint32(1024)
	realloc := func(_ context.Context, _, _, align, n uint32) (uint32, error) {
		p := (next + align - 1) &^ (align - 1)
		if next = p + n; next > size {
			return 0, fault.New(fault.Exhausted, "realloc", "memory")
		}
		return p, nil
	}
	env := &canon.Env{Ctx: context.Background(), Handles: canon.NewTable(100),
		Opt: &canon.Options{Memory: func() []byte { return mem }, Realloc: realloc}}
	return canon.Compile(ft).LowerResult(env, result, make([]uint64, 20))
}

func TestTheDeclarationsAreWhatTheVersionSays(t *testing.T) {
	for _, p := range declared(t).Packages {
		if p.Version != version || !slices.Contains([]string{"io", "clocks", "random", "cli", "filesystem", "sockets"}, p.Name) {
			t.Errorf("testdata declares %s", p)
		}
	}
}
