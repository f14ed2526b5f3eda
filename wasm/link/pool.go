package link

import (
	"slices"
	"sync"
	"time"
)

// What an image may have seen of its birth, random numbers and the time, is made anew now and
// then; instances that nobody uses go after the same time.
const (
	imageAge  = 10 * time.Minute
	imageUses = 10_000
	maxImages = 8 // of one binding; further kinds of invocations get fresh instances

	idleAge = time.Minute // an instance that rests for longer is freed
	maxIdle = 64          // instances of one binding at rest
)

// imageKey is all that the first state of an instance depends on.
type imageKey struct {
	birth          any
	memory         uint64
	handles, depth int
}

// cradle is the place of an image.
type cradle struct {
	image *image    // nil: it could not be made
	tried time.Time // when
	busy  bool      // somebody is making one
	used  time.Time // when it was last asked for
}

// stale says whether it is time to make an image, again or for the first time.
func (c *cradle) stale(now time.Time) bool {
	if c.image == nil {
		return now.Sub(c.tried) >= imageAge
	}
	return c.image.uses >= imageUses || now.Sub(c.image.made) >= imageAge
}

// pool keeps the images of a binding and the instances that rest between calls. It is safe for
// concurrent use and does not refer to the binding.
type pool struct {
	program *Program

	mu      sync.Mutex
	closed  bool
	cradles map[imageKey]*cradle
	idle    []*instance // longest unused first
	sweeper *time.Timer // runs while something may get too old; nil: nothing may

	freeing sync.WaitGroup // those who free what they took; close waits for them
}

func newPool(program *Program) *pool {
	p := &pool{program: program, cradles: map[imageKey]*cradle{}}
	program.mu.Lock()
	program.pools[p] = struct{}{}
	program.mu.Unlock()
	return p
}

// take gives an image, which the caller must hold or release, and with it an instance of owner
// if one rests. due says instead that the caller must make the image and publish it. Nothing at
// all means that the invocation needs a fresh instance.
func (p *pool) take(owner string, key imageKey, now time.Time) (in *instance, img *image, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, false
	}
	c := p.cradles[key]
	if c == nil {
		if len(p.cradles) >= maxImages {
			return nil, nil, false
		}
		c = &cradle{}
		p.cradles[key] = c
	}
	c.used = now
	if p.sweeper == nil {
		p.sweeper = time.AfterFunc(idleAge, p.sweep)
	}
	if !c.busy && c.stale(now) {
		c.busy = true
		return nil, nil, true
	}
	if c.image == nil {
		return nil, nil, false
	}
	c.image.uses++
	c.image.holders++
	for i := len(p.idle) - 1; i >= 0; i-- {
		if in = p.idle[i]; in.owner == owner && in.key == key {
			p.idle = slices.Delete(p.idle, i, i+1)
			return in, c.image, false
		}
	}
	return nil, c.image, false
}

// publish makes img the image of key and of the caller; nil means that there will be none for a
// while, or, if the failure was not the component's, only that there is none yet.
func (p *pool) publish(key imageKey, img *image, now time.Time, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.cradles[key]
	c.busy = false
	if img == nil && again {
		return
	}
	old := c.image
	c.image, c.tried = img, now
	if img != nil {
		img.uses, img.holders = 1, 2
	}
	p.let(old)
	if p.closed {
		c.image = nil
		p.let(img)
	}
}

// hold makes the caller's share of img that of in.
func (p *pool) hold(in *instance, img *image) {
	old := in.image
	in.image = img
	p.release(old)
}

// release gives up a share of img, which may be nil; the last one closes it.
func (p *pool) release(img *image) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.let(img)
}

func (p *pool) let(img *image) {
	if img == nil {
		return
	}
	if img.holders--; img.holders == 0 {
		img.close()
	}
}

// put takes back an instance whose call has ended well; false means that it did not. What it
// was called with is gone before it rests.
func (p *pool) put(in *instance, now time.Time) bool {
	if in.rest() != nil {
		return false
	}
	in.since = now
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return false
	}
	p.idle = append(p.idle, in)
	over := p.oldest(len(p.idle) - maxIdle)
	p.mu.Unlock()
	p.discard(over...)
	return true
}

// oldest takes n instances, if that is any, that have rested for longest.
func (p *pool) oldest(n int) []*instance {
	if n <= 0 {
		return nil
	}
	taken := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	return taken
}

// sweep frees what nobody has used for a while.
func (p *pool) sweep() {
	if list, open := p.unused(time.Now()); open {
		p.discard(list...)
		p.freeing.Done()
	}
}

// unused takes the instances that nobody has used for a while, gives up such images and says
// when to look again.
func (p *pool) unused(now time.Time) (list []*instance, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false
	}
	p.freeing.Add(1)
	old := 0
	for old < len(p.idle) && now.Sub(p.idle[old].since) >= idleAge {
		old++
	}
	for key, c := range p.cradles {
		if !c.busy && now.Sub(c.used) >= imageAge {
			p.let(c.image)
			delete(p.cradles, key)
		}
	}
	if p.sweeper = nil; len(p.cradles) > 0 {
		p.sweeper = time.AfterFunc(idleAge, p.sweep)
	}
	return p.oldest(old), true
}

// discard frees instances that have an image. Giving back memory takes its time, so nobody waits
// for it.
func (p *pool) discard(list ...*instance) {
	for _, in := range list {
		in.free()
		p.release(in.image)
	}
}

// close frees what rests; what works is freed when it comes back.
func (p *pool) close() {
	if list, first := p.end(); first {
		p.discard(list...)
		p.freeing.Done()
	}
	p.freeing.Wait()
	p.program.mu.Lock()
	delete(p.program.pools, p)
	p.program.mu.Unlock()
}

// end closes the pool and takes what rests; first says that nobody did before.
func (p *pool) end() (list []*instance, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false
	}
	p.closed = true
	p.freeing.Add(1)
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
	for _, c := range p.cradles {
		p.let(c.image)
		c.image = nil
	}
	return p.oldest(len(p.idle)), true
}
