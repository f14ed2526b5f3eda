package link

import (
	"context"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/core"
)

// Birth is the system that a component sees while it starts and an image of it is made. The
// image then serves every owner, so it must show nothing of any invocation.
type Birth struct {
	Key    any                           // comparable; each key has an image of its own
	System func() any                    // for Call.System while the component starts
	Spoilt func(system any) (why string) // what it did that an image cannot hold; empty: nothing
}

// image is the state of an instance that has started and was not called yet. What starting it
// used is charged to every invocation that begins with the image.
type image struct {
	cores     []*core.Image
	handles   []*canon.Table // by component instance
	fuel      uint64
	hostCalls int
	payload   int
	made      time.Time

	uses, holders int // guarded by the pool
}

func (img *image) close() {
	for _, c := range img.cores {
		_ = c.Close() // unmapping and closing our own: nothing to be done about it
	}
}

// kept gives an instance that was put into the state of an image, or nil when there is none to
// be had: then the invocation needs a fresh one.
func (b *Bound) kept(ctx context.Context, r *Request, now time.Time) *instance {
	if r.Owner == "" || r.Birth == nil || ctx.Err() != nil {
		return nil
	}
	key := imageKey{r.Birth.Key, r.Limits.Memory, r.Limits.Handles, r.Limits.Depth}
	in, img, due := b.pool.take(r.Owner, key, now)
	if due {
		if in = b.born(ctx, r, false); in != nil {
			img = in.snapshot(r.Birth, now)
		}
		b.pool.publish(key, img, now, ctx.Err() != nil)
		if img == nil && in != nil {
			in.release()
			in.free()
		}
	}
	if img == nil {
		return nil
	}
	if in == nil {
		if in = b.born(ctx, r, true); in == nil {
			b.pool.release(img)
			return nil
		}
	}
	rested := in.image == img // then it was put back into img after its last call, and not called since
	b.pool.hold(in, img)
	if !rested && in.restore() != nil {
		b.pool.discard(in)
		return nil
	}
	in.owner, in.key = r.Owner, key
	in.resume(ctx, b, r)
	return in
}

// born starts an instance in the system of r.Birth, or makes one that resumes an image; nil when
// that fails.
func (b *Bound) born(ctx context.Context, r *Request, resuming bool) *instance {
	in := newInstance(ctx, b, r.Limits)
	in.starting, in.resuming, in.call = true, resuming, &Call{System: r.Birth.System()}
	if in.start() != nil {
		in.release()
		in.free()
		return nil
	}
	in.starting = false
	return in
}

// snapshot makes an image of an instance that was just born; nil when that is not possible.
func (in *instance) snapshot(birth *Birth, now time.Time) *image {
	if birth.Spoilt(in.call.System) != "" {
		return nil
	}
	img := &image{made: now, hostCalls: in.hostCalls, payload: in.limits.Payload - in.payload}
	for i := range in.state {
		for _, e := range in.state[i].handles.All() {
			if !in.bound.fixed(e) {
				return nil
			}
		}
		t := canon.NewTable(0)
		t.Restore(in.state[i].handles)
		img.handles = append(img.handles, t)
	}
	for _, c := range in.cores {
		img.fuel += c.Fuel()
		s, err := c.Snapshot()
		if err != nil {
			img.close()
			return nil
		}
		img.cores = append(img.cores, s)
	}
	return img
}

// restore puts the instance, which is not running, into the state of its image.
func (in *instance) restore() error {
	for i, c := range in.cores {
		if err := c.Restore(in.image.cores[i]); err != nil {
			return err
		}
	}
	for i := range in.state {
		s := &in.state[i]
		if s.inside || s.stay {
			return fault.New(fault.Internal, "restore", "the instance is being called")
		}
		s.handles.Restore(in.image.handles[i])
	}
	return nil
}

// resume makes the instance that of an invocation.
func (in *instance) resume(ctx context.Context, b *Bound, r *Request) {
	in.Context, in.bound, in.limits = ctx, b, r.Limits
	in.call = &Call{Data: r.Data, System: r.System}
	in.hostCalls, in.payload = in.image.hostCalls, r.Limits.Payload-in.image.payload
	in.budget.Reset(r.Limits.Memory)
}

// rest puts the instance back into its first state and forgets the invocation.
func (in *instance) rest() error {
	in.Context, in.bound, in.call, in.cause = context.Background(), nil, nil, nil
	for i := range in.entries {
		if e := &in.entries[i]; e.fn != nil && !core.WipeStack(e.stack) {
			e.fn, e.stack = nil, nil
		}
	}
	return in.restore()
}
