package canon_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

// chooser makes decisions: drawn by rapid, or read from fuzz input.
type chooser interface {
	pick(n int) int // 0 <= pick < n
}

// dice is a fair chooser: what rapid draws itself favours small numbers, and so bools.
type dice struct{ *rand.Rand }

func (d dice) pick(n int) int { return d.IntN(n) }

// anyType makes a type of at most the given depth; resources are taken from the two given.
func anyType(c chooser, depth int, rs []*types.Resource) *types.Type {
	scalars := int(types.String)
	n := scalars + 4 // flags, enum, own, borrow
	if depth > 0 {
		n += 6
	}
	switch k := c.pick(n) - scalars; k {
	case 0:
		return flags(numbered(1 + c.pick(32))...)
	case 1:
		return enum(numbered(1 + c.pick(300))...)
	case 2:
		return &types.Type{Kind: types.Own, Resource: rs[c.pick(len(rs))]}
	case 3:
		return &types.Type{Kind: types.Borrow, Resource: rs[c.pick(len(rs))]}
	case 4:
		return list(anyType(c, depth-1, rs))
	case 5:
		return option(anyType(c, depth-1, rs))
	case 6:
		return result(maybe(c, depth-1, rs), maybe(c, depth-1, rs))
	case 7, 8:
		t := &types.Type{Kind: types.Record}
		if k == 8 {
			t.Kind = types.Tuple
		}
		for i := range 1 + c.pick(6) {
			f := types.Field{Type: anyType(c, depth-1, rs)}
			if k == 7 {
				f.Name = fmt.Sprintf("f%d", i)
			}
			t.Fields = append(t.Fields, f)
		}
		return t
	case 9:
		t := &types.Type{Kind: types.Variant}
		for i := range 1 + c.pick(4) {
			t.Cases = append(t.Cases, types.Case{Name: fmt.Sprintf("c%d", i), Type: maybe(c, depth-1, rs)})
		}
		return t
	default:
		return of(types.Kind(k + scalars + 1))
	}
}

func maybe(c chooser, depth int, rs []*types.Resource) *types.Type {
	if c.pick(3) == 0 {
		return nil
	}
	return anyType(c, depth, rs)
}

// anyValue makes a value of type t.
func anyValue(r *rapid.T, c chooser, t *types.Type) any {
	switch t.Kind {
	case types.Bool:
		return rapid.Bool().Draw(r, "bool")
	case types.S8:
		return rapid.Int8().Draw(r, "s8")
	case types.U8:
		return rapid.Uint8().Draw(r, "u8")
	case types.S16:
		return rapid.Int16().Draw(r, "s16")
	case types.U16:
		return rapid.Uint16().Draw(r, "u16")
	case types.S32:
		return rapid.Int32().Draw(r, "s32")
	case types.U32:
		return rapid.Uint32().Draw(r, "u32")
	case types.S64:
		return rapid.Int64().Draw(r, "s64")
	case types.U64:
		return rapid.Uint64().Draw(r, "u64")
	case types.F32:
		return rapid.Float32().Draw(r, "f32")
	case types.F64:
		return rapid.Float64().Draw(r, "f64")
	case types.Char:
		return rapid.Rune().Filter(func(c rune) bool { return c < 0xd800 || c > 0xdfff }).Draw(r, "char")
	case types.String:
		return rapid.String().Draw(r, "string")
	case types.List:
		if t.Elem.Kind == types.U8 {
			return rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(r, "bytes")
		}
		l := make([]any, c.pick(4))
		for i := range l {
			l[i] = anyValue(r, c, t.Elem)
		}
		return l
	case types.Record:
		rec := make(canon.Record, len(t.Fields))
		for i, f := range t.Fields {
			rec[i] = canon.Named{Name: f.Name, Value: anyValue(r, c, f.Type)}
		}
		return rec
	case types.Tuple:
		tup := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			tup[i] = anyValue(r, c, f.Type)
		}
		return tup
	case types.Variant:
		k := t.Cases[c.pick(len(t.Cases))]
		return canon.Variant{Case: k.Name, Value: anyPayload(r, c, k.Type)}
	case types.Enum:
		return canon.Variant{Case: t.Names[c.pick(len(t.Names))]}
	case types.Option:
		if c.pick(2) == 0 {
			return canon.Option{}
		}
		return canon.Some(anyValue(r, c, t.Elem))
	case types.Result:
		if c.pick(2) == 0 {
			return canon.OK(anyPayload(r, c, t.Elem))
		}
		return canon.Err(anyPayload(r, c, t.Err))
	case types.Flags:
		var set canon.Flags
		for _, name := range t.Names {
			if c.pick(2) == 0 {
				set = append(set, name)
			}
		}
		return set
	}
	return canon.Handle{Resource: t.Resource, Rep: rapid.Uint32().Draw(r, "rep")}
}

func anyPayload(r *rapid.T, c chooser, t *types.Type) any {
	if t == nil {
		return nil
	}
	return anyValue(r, c, t)
}

func resources() []*types.Resource {
	return []*types.Resource{{Name: "file"}, {Name: "socket", Host: "demo:net/sockets/socket"}}
}

func TestWhatIsLoweredLiftsTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := dice{rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))}
		rs := resources()
		ft := &types.Func{}
		args := make([]any, c.pick(5))
		for i := range args {
			typ := anyType(c, 3, rs)
			ft.Params = append(ft.Params, types.Field{Name: "p", Type: typ})
			args[i] = anyValue(r, c, typ)
		}
		ft.Result = anyType(c, 3, rs)
		want := anyValue(r, c, ft.Result)

		s := canon.Compile(ft)
		g := newGuest(64)
		enc := canon.Encoding(c.pick(3))
		table := canon.NewTable(0)
		in, out := g.env(enc, table), g.env(enc, table)
		budget := 1 << 24
		in.Payload, out.Payload = &budget, &budget

		flat, err := s.LowerArgs(in, args, nil)
		check(r, err)
		params, _ := s.CoreLifted()
		if len(flat) != len(params) {
			r.Fatalf("%d core values, core type has %d", len(flat), len(params))
		}
		for i, p := range params {
			if (p == 0x7f || p == 0x7d) && flat[i] > math.MaxUint32 {
				r.Fatalf("core value %d is %#x, more than 32 bits", i, flat[i])
			}
		}
		// The stack of a call out: room for the return pointer and the result.
		stack := append(flat, 0, 0)
		retptr, err := g.realloc(in.Ctx, 0, 0, 8, 1<<16)
		check(r, err)
		if p, _ := s.CoreLowered(); len(p) > len(params) {
			stack[len(p)-1] = uint64(retptr)
		}
		got, err := s.LiftArgs(out, stack)
		check(r, err)
		if len(args) > 0 && !reflect.DeepEqual(got, args) {
			r.Fatalf("arguments\n got %#v\nwant %#v", got, args)
		}

		check(r, s.LowerResult(out, want, stack))
		p, _ := s.CoreLowered()
		if len(p) > len(params) { // as the lifted function returns it
			stack[0] = uint64(retptr)
		}
		if hasBorrow(ft.Result) {
			return // not a valid type of a result, and it would trap
		}
		v, err := s.LiftResult(g.env(enc, table), stack)
		check(r, err)
		if !reflect.DeepEqual(v, want) {
			r.Fatalf("result\n got %#v\nwant %#v", v, want)
		}
	})
}

func hasBorrow(t *types.Type) bool {
	if t == nil {
		return false
	}
	for _, f := range t.Fields {
		if hasBorrow(f.Type) {
			return true
		}
	}
	for _, c := range t.Cases {
		if hasBorrow(c.Type) {
			return true
		}
	}
	return t.Kind == types.Borrow || hasBorrow(t.Elem) || hasBorrow(t.Err)
}

func check(r *rapid.T, err error) {
	if err != nil {
		r.Fatal(err)
	}
}
