package link

import (
	"bytes"
	"context"
	"reflect"
	"strconv"
	"time"

	"greentic.dev/wasm/binary"
)

// AtRest gives copies of the memories of the instances that rest, and what the core function
// seek of the last module answers on each.
func (b *Bound) AtRest(seek string) (memories [][]byte, found []uint64) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for _, in := range b.pool.idle {
		for _, c := range in.cores {
			if m := c.Memory(); m != nil {
				all, _ := m.Read(0, m.Size())
				memories = append(memories, bytes.Clone(all))
			}
		}
		if f := in.cores[len(in.cores)-1].Func(seek); f != nil {
			in.call = &Call{}
			if v, err := f.Call(context.WithValue(context.Background(), instanceKey{}, in)); err == nil {
				found = append(found, v[0])
			}
			in.call = nil
		}
	}
	return memories, found
}

// Stacks gives copies of the stacks of the functions that resting instances keep.
func (b *Bound) Stacks() (stacks [][]byte) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for _, in := range b.pool.idle {
		for _, e := range in.entries {
			if e.fn != nil {
				stacks = append(stacks, bytes.Clone(*e.stack))
			}
		}
	}
	return stacks
}

// Remembered gives the bytes of all images, and the values of all mutable globals: of images
// and of the instances that rest. What is added to each module is not among them.
func (b *Bound) Remembered() (images [][]byte, globals []uint64) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for _, c := range b.pool.cradles {
		if c.image == nil {
			continue
		}
		for _, img := range c.image.cores {
			v := reflect.ValueOf(img).Elem()
			images = append(images, bytes.Clone(v.FieldByName("bytes").Bytes()))
			g := v.FieldByName("globals")
			for n := range g.Len() {
				globals = append(globals, g.Index(n).Uint())
			}
		}
	}
	for _, in := range b.pool.idle {
		for _, c := range in.cores {
			for n := range 100 {
				if g := c.Module().ExportedGlobal("\x00greentic:global." + strconv.Itoa(n)); g != nil {
					globals = append(globals, g.Get())
				}
			}
		}
	}
	return images, globals
}

// Resting is how many instances rest.
func (b *Bound) Resting() int {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return len(b.pool.idle)
}

// Images is how many images there are.
func (b *Bound) Images() (n int) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for _, c := range b.pool.cradles {
		if c.image != nil {
			n++
		}
	}
	return n
}

// MaxIdle is how many instances of one binding rest at most.
const MaxIdle = maxIdle

// Sweep frees what nobody has used for a while, as the pool's timer does.
func (b *Bound) Sweep() { b.pool.sweep() }

// Age makes everything that is kept as old as it may be.
func (b *Bound) Age() {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	for _, c := range b.pool.cradles {
		c.tried = c.tried.Add(-imageAge)
		if c.image != nil {
			c.image.made = c.image.made.Add(-imageAge)
		}
	}
	for _, in := range b.pool.idle {
		in.since = in.since.Add(-imageAge - time.Second)
	}
}

// Open is how many bindings have not been closed.
func (p *Program) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pools)
}

// Lookup finds an interface by its name.
func (h *Hosts) Lookup(name string) *Interface { return h.find(name) }

// Session is an instance that is called more than once, which Invoke never does.
type Session struct{ in *instance }

// Session makes an instance and lets it start.
func (b *Bound) Session(ctx context.Context, lim Limits) (*Session, error) {
	s := &Session{in: newInstance(ctx, b, lim)}
	s.in.call = &Call{}
	if err := s.in.start(); err != nil {
		s.End()
		return nil, err
	}
	return s, nil
}

// Func is the type of an exported function at world level.
func (s *Session) Func(name string) (*binary.Func, bool) {
	return s.in.bound.program.plan.Func("", name)
}

// Call calls an exported function at world level.
func (s *Session) Call(name string, args []any) (any, error) {
	fn, err := s.in.bound.program.plan.Find("", name)
	if err != nil {
		return nil, err
	}
	return s.in.invoke(fn, -1, nil, args)
}

// End frees the instance.
func (s *Session) End() {
	s.in.end()
	s.in.free()
}
