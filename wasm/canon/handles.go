package canon

import (
	"iter"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// Table is the handle table of one component instance: which resources its code may name, and
// by which index. It serves one goroutine at a time.
type Table struct {
	entries []entry // index 0 is never used
	free    []uint32
	live    int
	limit   int
	defined []*binary.Resource
}

// entry is a handle (spec: ResourceHandle). A free entry has no resource.
type entry struct {
	resource *binary.Resource
	rep      any
	own      bool
	lends    int    // calls that currently borrow it
	scope    *scope // of a borrowed handle: the call it is borrowed for
}

// Entry is what a handle stands for. Rep is the Go value of a host resource or the uint32
// representation of a guest's; Own is false for a borrowed handle.
type Entry struct {
	Resource *binary.Resource
	Rep      any
	Own      bool
}

// maxHandles is the longest table there is (spec: Table.MAX_LENGTH).
const maxHandles = 1<<28 - 1

// NewTable makes an empty table that holds at most limit handles; 0 or less means the limit of
// the specification.
func NewTable(limit int) *Table {
	if limit <= 0 || limit > maxHandles {
		limit = maxHandles
	}
	return &Table{limit: limit}
}

// Define says that the instance of this table implements r: borrows of r reach it as plain
// representation instead of a handle (spec: lower_borrow).
func (t *Table) Define(r *binary.Resource) {
	if !t.defines(r) {
		t.defined = append(t.defined, r)
	}
}

func (t *Table) defines(r *binary.Resource) bool { return slices.Contains(t.defined, r) }

// New makes an owned handle and returns its index (canon resource.new). It is Exhausted when
// the table is full.
func (t *Table) New(r *binary.Resource, rep any) (uint32, error) {
	i, err := t.add(entry{resource: r, rep: rep, own: true})
	return i, report("resource.new", err)
}

// Rep gives the representation behind an index (canon resource.rep). A handle that does not
// exist or is of another resource is Invalid.
func (t *Table) Rep(i uint32, r *binary.Resource) (any, error) {
	e, err := t.get(i, r)
	if err != nil {
		return nil, report("resource.rep", err)
	}
	return e.rep, nil
}

// Drop removes a handle (canon resource.drop). The caller runs the destructor when the entry
// was owned. A handle that does not exist, is of another resource or is lent is Invalid.
func (t *Table) Drop(i uint32, r *binary.Resource) (Entry, error) {
	e, err := t.remove(i, r)
	if err != nil {
		return Entry{}, report("resource.drop", err)
	}
	if e.scope != nil {
		e.scope.borrows--
	}
	return Entry{e.resource, e.rep, e.own}, nil
}

// Len is the number of handles in the table.
func (t *Table) Len() int { return t.live }

// All yields the handles in the order of their indexes, for instance to destroy what a guest
// leaked. The table must not change meanwhile.
func (t *Table) All() iter.Seq2[uint32, Entry] {
	return func(yield func(uint32, Entry) bool) {
		for i := range t.entries {
			e := &t.entries[i]
			if e.resource != nil && !yield(uint32(i), Entry{e.resource, e.rep, e.own}) {
				return
			}
		}
	}
}

// Reset forgets all handles, without any destructor, and keeps what the instance defines.
func (t *Table) Reset() {
	clear(t.entries)
	t.entries, t.free, t.live = t.entries[:0], t.free[:0], 0
}

// keepEntries is for how many handles a table keeps room when it is restored.
const keepEntries = 1024

// Restore makes the handles of t those of image, which no call may be using.
func (t *Table) Restore(image *Table) {
	if cap(t.entries)+cap(t.free) > max(keepEntries, 4*len(image.entries)) {
		t.entries, t.free = nil, nil
	}
	clear(t.entries)
	t.entries = append(t.entries[:0], image.entries...)
	t.free = append(t.free[:0], image.free...)
	t.live = image.live
}

func (t *Table) add(e entry) (uint32, error) {
	if t.live >= t.limit {
		return 0, &failure{kind: fault.Exhausted, msg: "too many open handles"}
	}
	t.live++
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.entries[i] = e
		return i, nil
	}
	if len(t.entries) == 0 {
		t.entries = append(t.entries, entry{})
	}
	t.entries = append(t.entries, e)
	return uint32(len(t.entries) - 1), nil
}

func (t *Table) get(i uint32, r *binary.Resource) (*entry, error) {
	if t == nil || uint64(i) >= uint64(len(t.entries)) || t.entries[i].resource == nil {
		return nil, trapf("handle %d does not exist", i)
	}
	e := &t.entries[i]
	if e.resource != r {
		return nil, trapf("handle %d is a %s, not a %s", i, resourceName(e.resource), resourceName(r))
	}
	return e, nil
}

func (t *Table) remove(i uint32, r *binary.Resource) (entry, error) {
	p, err := t.get(i, r)
	if err != nil {
		return entry{}, err
	}
	if p.lends > 0 {
		return entry{}, trapf("handle %d is lent to a call that has not returned", i)
	}
	e := *p
	*p = entry{}
	t.free = append(t.free, i)
	t.live--
	return e, nil
}

// takeBack ends the lending of handles for a call (spec: Subtask.deliver_resolve).
func (t *Table) takeBack(lent []uint32) {
	for _, i := range lent {
		t.entries[i].lends--
	}
}

// liftOwn moves an owned handle out of the table.
func (e *Env) liftOwn(r *binary.Resource, i uint32) (any, error) {
	p, err := e.Handles.get(i, r)
	if err != nil {
		return nil, err
	}
	if !p.own {
		return nil, trapf("handle %d is borrowed and cannot be given away", i)
	}
	x, err := e.Handles.remove(i, r)
	if err != nil {
		return nil, err
	}
	h := Handle{Resource: r, Rep: x.rep}
	e.moved = append(e.moved, h)
	return h, nil
}

// settle ends a lift. If it failed, nobody got the handles it moved: they return to the table,
// under other numbers, so that whoever destroys what a guest leaves open finds them.
func (e *Env) settle(err error) error {
	if err != nil {
		for _, h := range e.moved {
			_, _ = e.Handles.add(entry{resource: h.Resource, rep: h.Rep, own: true}) // there is room: it was there
		}
	}
	e.moved = nil
	return err
}

// liftBorrow lends a handle for the time of the call.
func (e *Env) liftBorrow(r *binary.Resource, i uint32) (any, error) {
	p, err := e.Handles.get(i, r)
	if err != nil {
		return nil, err
	}
	if err := e.charge(4); err != nil { // one handle may be lent a million times in a list
		return nil, err
	}
	p.lends++
	s := e.borrowScope()
	s.lent = append(s.lent, i)
	return Handle{Resource: r, Rep: p.rep}, nil
}

func (e *Env) lowerHandle(n *node, v any) (uint32, error) {
	h, ok := v.(Handle)
	if !ok {
		return 0, wrongType("Handle", v)
	}
	if h.Resource != nil && h.Resource != n.resource {
		return 0, wrongValue("want a %s, got a %s", resourceName(n.resource), resourceName(h.Resource))
	}
	if e.Handles == nil {
		return 0, &failure{kind: fault.Internal, msg: "there is no handle table"}
	}
	if n.kind == binary.Own {
		return e.Handles.add(entry{resource: n.resource, rep: h.Rep, own: true})
	}
	if e.Handles.defines(n.resource) {
		rep, ok := h.Rep.(uint32)
		if !ok {
			return 0, wrongType("uint32 as representation", h.Rep)
		}
		return rep, nil
	}
	s := e.borrowScope()
	i, err := e.Handles.add(entry{resource: n.resource, rep: h.Rep, scope: s})
	if err == nil {
		s.borrows++
	}
	return i, err
}

func resourceName(r *binary.Resource) string {
	switch {
	case r == nil || r.Host == "" && r.Name == "":
		return "resource"
	case r.Host != "":
		return r.Host
	}
	return r.Name
}
