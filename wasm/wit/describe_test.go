package wit_test

import (
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// reflected is a world as the items of a component that was built for it.
func reflected(externs []*wit.Extern, types []*wit.TypeDef) []wit.Item {
	var items []wit.Item
	for _, e := range externs {
		it := wit.Item{Name: e.Name, Func: e.Func}
		if e.Interface != nil {
			it.Funcs = map[string]*binary.Func{}
			it.Types, it.Resources = map[string]*binary.Type{}, map[string]*binary.Resource{}
			for _, t := range e.Interface.Types {
				it.Order = append(it.Order, t.Name)
				if t.Resource != nil {
					it.Resources[t.Name] = t.Resource
				} else {
					it.Types[t.Name] = t.Type
				}
			}
			for _, f := range e.Interface.Funcs {
				it.Order = append(it.Order, f.Name)
				it.Funcs[f.Name] = f.Type
			}
		}
		items = append(items, it)
	}
	for _, t := range types {
		if t.Type != nil {
			items = append(items, wit.Item{Name: t.Name, Type: t.Type})
		}
	}
	return items
}

// TestComponentsAreDescribed builds a component's items from the world of each golden and shows
// what they are described as.
func TestComponentsAreDescribed(t *testing.T) {
	golden(t, "describe", func(t *testing.T, sources map[string]string) string {
		set, err := wit.Parse(sources)
		if err != nil {
			t.Fatal(said(err))
		}
		text := described(t, set.World("demo:app/app"))
		again := described(t, rereads(t, text).World("root:component/root"))
		if again != text {
			t.Errorf("described again it differs:\n%s\nfrom\n%s", again, text)
		}
		return text
	})
}

func described(t *testing.T, w *wit.World) string {
	t.Helper()
	set, err := wit.Describe(reflected(w.Imports, w.Types), reflected(w.Exports, nil))
	if err != nil {
		t.Fatal(err)
	}
	return wit.Format(set)
}

// In a component the functions an instance exports may refer to a type before it got its name.
func TestTypesWithoutANameAreFoundByTheirStructure(t *testing.T) {
	u32 := &binary.Type{Kind: binary.U32}
	bare := &binary.Type{Kind: binary.Record, Fields: []binary.Field{{Name: "n", Type: u32}}}
	named := *bare
	named.Name = "number"
	lost := &binary.Type{Kind: binary.Enum, Names: []string{"a", "b"}}
	set, err := wit.Describe(nil, []wit.Item{{
		Name:  "demo:app/api",
		Types: map[string]*binary.Type{"number": &named},
		Funcs: map[string]*binary.Func{
			"get":  {Result: &binary.Type{Kind: binary.List, Elem: bare}},
			"kind": {Params: []binary.Field{{Name: "k", Type: lost}}, Result: lost},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `package root:component;

world root {
  export demo:app/api;
}
package demo:app {
  interface api {
    record number {
      n: u32,
    }

    enum unnamed {
      a,
      b,
    }

    get: func() -> list<number>;
    kind: func(k: unnamed) -> unnamed;
  }
}
`
	if got := wit.Format(set); got != want {
		t.Errorf("got\n%s", got)
	}
	rereads(t, want)
}

// Reflection may tell only the names of resources; handles say which ones they are.
func TestResourcesAreFoundByTheirHandles(t *testing.T) {
	failure := &binary.Resource{Name: "error", Host: "wasi:io/error@0.2.6/error"}
	stream := &binary.Resource{Name: "output-stream", Host: "wasi:io/streams@0.2.6/output-stream"}
	write := &binary.Func{
		Params: []binary.Field{{Name: "self", Type: &binary.Type{Kind: binary.Borrow, Resource: stream}}},
		Result: &binary.Type{Kind: binary.Result, Err: &binary.Type{Kind: binary.Own, Resource: failure}},
	}
	stderr := &binary.Func{Result: &binary.Type{Kind: binary.Own, Resource: stream}}
	set, err := wit.Describe([]wit.Item{
		{Name: "wasi:io/error@0.2.6", Resources: map[string]*binary.Resource{"error": nil}},
		{Name: "wasi:io/streams@0.2.6", Resources: map[string]*binary.Resource{"error": nil, "output-stream": nil},
			Funcs: map[string]*binary.Func{"[method]output-stream.flush": write}},
		{Name: "wasi:cli/stderr@0.2.6", Resources: map[string]*binary.Resource{"output-stream": nil},
			Funcs: map[string]*binary.Func{"get-stderr": stderr}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `package root:component;

world root {
  import wasi:io/error@0.2.6;
  import wasi:io/streams@0.2.6;
  import wasi:cli/stderr@0.2.6;
}
package wasi:io@0.2.6 {
  interface error {
    resource error;
  }

  interface streams {
    use error.{error};

    resource output-stream {
      flush: func() -> result<_, error>;
    }
  }
}
package wasi:cli@0.2.6 {
  interface stderr {
    use wasi:io/streams@0.2.6.{output-stream};

    get-stderr: func() -> output-stream;
  }
}
`
	if got := wit.Format(set); got != want {
		t.Errorf("got\n%s", got)
	}
	rereads(t, want)
}

// What an inline interface or nobody defines is defined again where it is needed.
func TestTypesThatCannotBeTakenAreDefinedAgain(t *testing.T) {
	mode := &binary.Type{Kind: binary.Enum, Name: "mode", Names: []string{"on", "off"}}
	lamp := &binary.Resource{Name: "lamp"}
	set, err := wit.Describe([]wit.Item{
		{Name: "inline", Types: map[string]*binary.Type{"mode": mode, "also": mode}, Resources: map[string]*binary.Resource{"lamp": lamp, "torch": lamp}},
		{Name: "demo:app/api", Types: map[string]*binary.Type{"mode": mode}, Funcs: map[string]*binary.Func{
			"mode-1":         {Params: []binary.Field{{Name: "m", Type: mode}, {Name: "l", Type: &binary.Type{Kind: binary.Borrow, Resource: lamp}}}},
			"[method]lamp.f": {Params: []binary.Field{{Name: "self", Type: &binary.Type{Kind: binary.Borrow, Resource: lamp}}}},
		}},
		{Name: "light", Func: &binary.Func{Params: []binary.Field{{Name: "m", Type: mode}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `package root:component;

world root {
  use demo:app/api.{mode};

  import inline: interface {
    enum mode {
      on,
      off,
    }

    type also = mode;

    resource lamp;

    type torch = lamp;
  }
  import demo:app/api;
  import light: func(m: mode);
}
package demo:app {
  interface api {
    enum mode {
      on,
      off,
    }

    resource lamp {
      f: func();
    }

    mode-1: func(m: mode, l: borrow<lamp>);
  }
}
`
	if got := wit.Format(set); got != want {
		t.Errorf("got\n%s", got)
	}
	rereads(t, want)
}

func TestNamesThatWITCannotWriteAreRefused(t *testing.T) {
	for _, it := range []wit.Item{
		{Name: "unlocked-dep=<a:b>"},
		{Name: "a:b/c@1"},
		{Name: "url=<https://example.com>", Func: &binary.Func{}},
	} {
		if _, err := wit.Describe([]wit.Item{it}, nil); fault.KindOf(err) != fault.Unsupported {
			t.Errorf("%s: %v", it.Name, err)
		}
	}
}
