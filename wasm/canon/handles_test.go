package canon_test

import (
	"fmt"
	"testing"

	"greentic.dev/greentic/fault"
	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

func own(r *types.Resource) *types.Type    { return &types.Type{Kind: types.Own, Resource: r} }
func borrow(r *types.Resource) *types.Type { return &types.Type{Kind: types.Borrow, Resource: r} }

func TestAnOwnedHandleMovesToTheCallee(t *testing.T) {
	r := resources()[0]
	table := canon.NewTable(0)
	h := must[uint32](t)(table.New(r, "the file"))
	s := canon.Compile(params(own(r)))
	args := must[[]any](t)(s.LiftArgs(newGuest(0).env(0, table), []uint64{uint64(h)}))
	if args[0] != (canon.Handle{Resource: r, Rep: "the file"}) || table.Len() != 0 {
		t.Errorf("got %v, %d handles left", args[0], table.Len())
	}
	_, err := s.LiftArgs(newGuest(0).env(0, table), []uint64{uint64(h)})
	isTrap(t, err, "args[0]: handle 1 does not exist")
}

func TestHostileHandlesTrap(t *testing.T) {
	rs := resources()
	file, socket := rs[0], rs[1]
	table, foreign := canon.NewTable(0), canon.NewTable(0)
	h := must[uint32](t)(table.New(file, uint32(7)))
	for range 5 {
		must[uint32](t)(foreign.New(file, uint32(8)))
	}
	lift := func(typ *types.Type, h uint32) error {
		_, err := canon.Compile(params(typ)).LiftArgs(newGuest(0).env(0, table), []uint64{uint64(h)})
		return err
	}
	t.Run("forged", func(t *testing.T) {
		for _, i := range []uint32{0, 2, 1 << 31, 1<<32 - 1} {
			isTrap(t, lift(own(file), i), fmt.Sprintf("handle %d does not exist", i))
			isTrap(t, lift(borrow(file), i), "does not exist")
			_, err := table.Rep(i, file)
			isTrap(t, err, "resource.rep: handle")
			_, err = table.Drop(i, file)
			isTrap(t, err, "resource.drop: handle")
		}
	})
	t.Run("of another instance", func(t *testing.T) { isTrap(t, lift(borrow(file), 4), "does not exist") })
	t.Run("of another resource", func(t *testing.T) {
		const want = "handle 1 is a file, not a demo:net/sockets/socket"
		isTrap(t, lift(own(socket), h), want)
		isTrap(t, lift(borrow(socket), h), want)
		_, err := table.Drop(h, socket)
		isTrap(t, err, want)
		_, err = table.Rep(h, &types.Resource{Name: "file"}) // same name, another resource
		isTrap(t, err, "handle 1 is a file, not a file")
	})
	t.Run("double drop", func(t *testing.T) {
		i := must[uint32](t)(table.New(file, uint32(9)))
		if e := must[canon.Entry](t)(table.Drop(i, file)); e != (canon.Entry{Resource: file, Rep: uint32(9), Own: true}) {
			t.Errorf("dropped %v", e)
		}
		_, err := table.Drop(i, file)
		isTrap(t, err, "does not exist")
	})
	t.Run("twice in one call", func(t *testing.T) {
		_, err := canon.Compile(params(own(file), own(file))).LiftArgs(newGuest(0).env(0, table), []uint64{1, 1})
		isTrap(t, err, "args[1]: handle 1 does not exist")
	})
	t.Run("without a table", func(t *testing.T) {
		_, err := canon.Compile(params(own(file))).LiftArgs(newGuest(0).env(0, nil), []uint64{1})
		isTrap(t, err, "does not exist")
	})
}

func TestALentHandleCannotBeDroppedOrGivenAwayDuringTheCall(t *testing.T) {
	r := resources()[0]
	table := canon.NewTable(0)
	h := must[uint32](t)(table.New(r, 1))
	s := canon.Compile(params(borrow(r), borrow(r)))
	env := newGuest(0).env(0, table)
	must[[]any](t)(s.LiftArgs(env, []uint64{uint64(h), uint64(h)}))
	_, err := table.Drop(h, r)
	isTrap(t, err, "handle 1 is lent")
	_, err = canon.Compile(params(own(r))).LiftArgs(newGuest(0).env(0, table), []uint64{uint64(h)})
	isTrap(t, err, "handle 1 is lent")
	_, err = canon.Compile(params(borrow(r), own(r))).LiftArgs(newGuest(0).env(0, table), []uint64{uint64(h), uint64(h)})
	isTrap(t, err, "args[1]: handle 1 is lent")
}

func TestALentHandleIsFreeAfterTheCall(t *testing.T) {
	r := resources()[0]
	table := canon.NewTable(0)
	h := must[uint32](t)(table.New(r, 1))
	s := canon.Compile(params(borrow(r)))
	env := newGuest(0).env(0, table)
	stack := []uint64{uint64(h)}
	must[[]any](t)(s.LiftArgs(env, stack))
	if err := s.LowerResult(env, nil, stack); err != nil {
		t.Fatal(err)
	}
	must[canon.Entry](t)(table.Drop(h, r))
}

func TestABorrowMustBeDroppedBeforeTheCallReturns(t *testing.T) {
	r := resources()[0]
	s := canon.Compile(params(borrow(r)))
	for _, drop := range []bool{false, true} {
		table := canon.NewTable(0)
		env := newGuest(0).env(0, table)
		flat := must[[]uint64](t)(s.LowerArgs(env, []any{canon.Handle{Rep: "x"}}, nil))
		if rep := must[any](t)(table.Rep(uint32(flat[0]), r)); rep != "x" {
			t.Errorf("rep %v", rep)
		}
		if drop {
			if e := must[canon.Entry](t)(table.Drop(uint32(flat[0]), r)); e.Own {
				t.Error("a borrowed handle says it is owned, its destructor would run")
			}
		}
		_, err := s.LiftResult(env, nil)
		if drop && err != nil {
			t.Error(err)
		}
		if !drop {
			isTrap(t, err, "1 borrowed handles were not dropped")
		}
	}
}

func TestABorrowedHandleCannotBeGivenAway(t *testing.T) {
	r := resources()[0]
	table := canon.NewTable(0)
	flat := must[[]uint64](t)(canon.Compile(params(borrow(r))).LowerArgs(newGuest(0).env(0, table), []any{canon.Handle{}}, nil))
	_, err := canon.Compile(params(own(r))).LiftArgs(newGuest(0).env(0, table), flat)
	isTrap(t, err, "handle 1 is borrowed and cannot be given away")
}

func TestAnInstanceReceivesBorrowsOfItsOwnResourceAsRepresentation(t *testing.T) {
	rs := resources()
	table := canon.NewTable(0)
	table.Define(rs[0])
	s := canon.Compile(params(borrow(rs[0]), borrow(rs[1]), own(rs[0])))
	flat := must[[]uint64](t)(s.LowerArgs(newGuest(0).env(0, table), []any{
		canon.Handle{Resource: rs[0], Rep: uint32(0xabcd)}, canon.Handle{Rep: "host"}, canon.Handle{Rep: uint32(3)}}, nil))
	if flat[0] != 0xabcd || flat[1] != 1 || flat[2] != 2 || table.Len() != 2 {
		t.Errorf("flat %v, %d handles", flat, table.Len())
	}
}

func TestAHandleOfAnotherResourceIsNotLowered(t *testing.T) {
	rs := resources()
	_, err := canon.Compile(params(own(rs[0]))).
		LowerArgs(newGuest(0).env(0, canon.NewTable(0)), []any{canon.Handle{Resource: rs[1], Rep: 1}}, nil)
	if err == nil || err.Error() != "lower arguments: args[0]: want a file, got a demo:net/sockets/socket" {
		t.Errorf("got %v", err)
	}
}

func TestACompilerGivesAnInstanceItsOwnResources(t *testing.T) {
	rs := resources()
	s := canon.NewCompiler(func(r *types.Resource) *types.Resource { return rs[1] }).Compile(params(own(rs[0])))
	table := canon.NewTable(0)
	h := must[uint32](t)(table.New(rs[1], 1))
	args := must[[]any](t)(s.LiftArgs(newGuest(0).env(0, table), []uint64{uint64(h)}))
	if args[0].(canon.Handle).Resource != rs[1] {
		t.Errorf("got %v", args[0])
	}
}

func TestHostileMillionHandlesMeetTheLimit(t *testing.T) {
	r := resources()[0]
	table := canon.NewTable(1000)
	var err error
	n := 0
	for ; n < 1_000_000 && err == nil; n++ {
		_, err = table.New(r, nil)
	}
	if n != 1001 || fault.KindOf(err) != fault.Exhausted {
		t.Errorf("stopped at %d: %v", n, err)
	}
	must[canon.Entry](t)(table.Drop(500, r))
	if i := must[uint32](t)(table.New(r, nil)); i != 500 {
		t.Errorf("index %d, want the free one", i)
	}
}

func TestLeakedHandlesAreListed(t *testing.T) {
	r := resources()[0]
	table := canon.NewTable(0)
	for i := range 4 {
		must[uint32](t)(table.New(r, i))
	}
	must[canon.Entry](t)(table.Drop(2, r))
	var got []any
	for i, e := range table.All() {
		got = append(got, i, e.Rep)
	}
	if fmt.Sprint(got) != "[1 0 3 2 4 3]" {
		t.Errorf("got %v", got)
	}
	image := canon.NewTable(0)
	must[uint32](t)(image.New(r, "kept"))
	table.Restore(image)
	if rep := must[any](t)(table.Rep(1, r)); rep != "kept" || table.Len() != 1 {
		t.Errorf("rep %v, %d handles after restore", rep, table.Len())
	}
	table.Reset()
	if _, err := table.Rep(1, r); table.Len() != 0 || err == nil {
		t.Error("handles survive a reset")
	}
}
