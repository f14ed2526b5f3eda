package typing_test

import (
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

func index(i uint32) *binary.Ref { return &binary.Ref{Index: i} }

func prim(k binary.Kind) *binary.Ref { return &binary.Ref{Kind: k} }

// space makes definitions into a type index space.
func space(t *testing.T, tab *typing.Table, defs ...*binary.ValueDef) []*typing.Ref {
	t.Helper()
	types := []*typing.Ref{{Value: &binary.Resource{Name: "r"}}}
	for _, d := range defs {
		v, err := tab.Value(d, types)
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, &typing.Ref{Value: v, Local: true})
	}
	return types
}

func TestSizesSayWhatATypeCosts(t *testing.T) {
	tab := typing.New(binary.Limits{}.WithDefaults())
	types := space(t, tab,
		&binary.ValueDef{Kind: binary.Own, Resource: 0},
		&binary.ValueDef{Kind: binary.Borrow, Resource: 0},
		&binary.ValueDef{Kind: binary.List, Elem: index(2)},
		&binary.ValueDef{Kind: binary.Record, Fields: []binary.FieldRef{{Name: "a", Type: prim(binary.U64)}, {Name: "b", Type: prim(binary.String)}}},
		&binary.ValueDef{Kind: binary.Variant, Fields: []binary.FieldRef{{Name: "a"}, {Name: "b", Type: index(4)}}},
		&binary.ValueDef{Kind: binary.Result, Elem: prim(binary.U8), Err: index(1)},
		&binary.ValueDef{Kind: binary.Tuple, Fields: []binary.FieldRef{{Type: index(4)}, {Type: index(4)}, {Type: index(4)}, {Type: index(4)}, {Type: index(4)}, {Type: index(4)}}},
	)
	for i, want := range []typing.Size{
		{}, {Nodes: 1, Depth: 1, Flat: 1, Resource: true}, {Nodes: 1, Depth: 1, Flat: 1, Resource: true, Borrow: true},
		{Nodes: 2, Depth: 2, Flat: 2, Pointer: true, Resource: true, Borrow: true},
		{Nodes: 5, Depth: 2, Flat: 3, Pointer: true}, {Nodes: 8, Depth: 3, Flat: 4, Pointer: true},
		{Nodes: 3, Depth: 2, Flat: 2, Resource: true}, {Nodes: 37, Depth: 3, Flat: 17, Pointer: true},
	} {
		if v, ok := types[i].Value.(*binary.Type); ok && tab.Size(v) != want {
			t.Errorf("type %d: %+v, want %+v", i, tab.Size(v), want)
		}
	}
	if _, err := tab.Func(&binary.FuncDef{Result: index(3)}, types); !fault.Is(err, fault.Invalid) {
		t.Errorf("a borrow in a result: %v", err)
	}
}

func TestTypesNeedANameWhereTheyAreUsed(t *testing.T) {
	tab := typing.New(binary.Limits{}.WithDefaults())
	types := space(t, tab,
		&binary.ValueDef{Kind: binary.Enum, Names: []string{"a"}},
		&binary.ValueDef{Kind: binary.List, Elem: index(1)},
		&binary.ValueDef{Kind: binary.Option, Elem: index(2)},
		&binary.ValueDef{Kind: binary.Own, Resource: 0},
	)
	f, err := tab.Func(&binary.FuncDef{Params: []binary.FieldRef{{Name: "x", Type: index(3)}, {Name: "y", Type: index(4)}}}, types)
	if err != nil {
		t.Fatal(err)
	}
	seen, spent := typing.NewVisible(), 0
	hidden := func(export bool) *typing.Ref {
		h, err := tab.Hidden(seen, f, export, func(n int) error { spent += n; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := hidden(true); h != types[1] || h.Word() != "an enum" {
		t.Errorf("the enum is not missed: %+v", h)
	}
	seen.Add(types[1].View(nil), true)
	if h := hidden(true); h != types[0] || h.Word() != "a resource" {
		t.Errorf("the resource is not missed: %+v", h)
	}
	seen.Add(types[0], false)
	if h := hidden(true); h != nil {
		t.Errorf("%s is missed", h.Word())
	}
	if h := hidden(false); h != types[1] {
		t.Errorf("an import sees an export: %+v", h)
	}
	before := spent
	if hidden(true); spent != before {
		t.Error("types that were found visible are walked again")
	}
}
