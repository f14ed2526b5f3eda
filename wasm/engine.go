package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"runtime"
	"sync"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
)

// Options configures an engine; the zero value is safe.
type Options struct {
	CacheDir  string        // where compiled code is kept between processes; empty means memory only
	CacheSize int64         // bytes of compiled code kept there, looked at when an engine is made; 0 means 4 GiB
	Defaults  Limits        // for invocations that leave a limit zero
	Decode    binary.Limits // what Compile accepts

	// Concurrency is how many invocations of one owner may run at once, over all components; the
	// next waits for its turn. 0 means 1,000. Invocations without an owner are not counted.
	Concurrency int
	// Warn is told of what was mended: a file of the cache that is not what was written. It may
	// be called from any goroutine; nil tells nobody.
	Warn func(message string)
}

// Engine compiles components and holds their code. It is safe for concurrent use.
type Engine struct {
	core     *core.Engine
	turns    *turns
	defaults Limits
	decode   binary.Limits

	compilers chan struct{} // as many compilations run at once as there are processors
	running   sync.WaitGroup

	mu         sync.Mutex
	components map[string]*compiling // by digest
}

// compiling is one compilation that any number of callers wait for.
type compiling struct {
	done      chan struct{}
	component *Component
	err       error
}

// New makes an engine.
func New(ctx context.Context, opt Options) (*Engine, error) {
	c, err := core.New(ctx, core.Options{CacheDir: opt.CacheDir, CacheSize: opt.CacheSize, Warn: opt.Warn})
	if err != nil {
		return nil, fault.Wrap("wasm engine", err)
	}
	if opt.Concurrency <= 0 {
		opt.Concurrency = 1000
	}
	return &Engine{core: c, turns: newTurns(opt.Concurrency), defaults: opt.Defaults.or(defaultLimits()), decode: opt.Decode,
		compilers: make(chan struct{}, runtime.GOMAXPROCS(0)), components: map[string]*compiling{}}, nil
}

// Close frees all code, after it has waited for compilations that nobody waits for any more. No
// invocation may be running.
func (e *Engine) Close(ctx context.Context) error {
	e.running.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, c := range e.components {
		if c.component != nil {
			errs = append(errs, c.component.program.Close(ctx))
		}
	}
	return errors.Join(append(errs, e.core.Close(ctx))...)
}

// Compile decodes, checks and compiles a component; code must not change afterwards. Equal
// bytes are compiled once per engine. Errors are Invalid (malformed or ill-typed),
// Unsupported (a named feature) or Exhausted, and carry the offset in the binary. When ctx ends,
// so does Compile at once, with Canceled or Timeout; the work goes on to the end of the core
// module it is at.
func (e *Engine) Compile(ctx context.Context, code []byte) (*Component, error) {
	sum := sha256.Sum256(code)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	for {
		e.mu.Lock()
		c, running := e.components[digest]
		if !running {
			c = &compiling{done: make(chan struct{})}
			e.components[digest] = c
		}
		e.mu.Unlock()
		if !running {
			e.running.Go(func() {
				c.component, c.err = e.compile(ctx, code, digest)
				if c.err != nil {
					e.mu.Lock()
					delete(e.components, digest)
					e.mu.Unlock()
				}
				close(c.done)
			})
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return nil, fault.Wrap("compile component", ctx.Err())
		}
		if c.err == nil || !gaveUp(c.err) {
			return c.component, c.err
		}
		if !running {
			return nil, c.err
		}
		// whoever compiled it was cancelled, which is not our failure: compile it ourselves
	}
}

func gaveUp(err error) bool { return fault.Is(err, fault.Canceled) || fault.Is(err, fault.Timeout) }

// compile does it. Should a strange binary find a defect of ours, that ends this compilation and
// not the process.
func (e *Engine) compile(ctx context.Context, code []byte, digest string) (c *Component, err error) {
	const op = "compile component"
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, op, "panic: %v", p)
		}
	}()
	select {
	case e.compilers <- struct{}{}:
		defer func() { <-e.compilers }()
	case <-ctx.Done():
		return nil, fault.Wrap(op, ctx.Err())
	}
	decoded, err := binary.Decode(code, e.decode)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	plan, err := link.NewPlan(decoded, e.decode)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	program, err := link.Compile(ctx, e.core, plan)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return &Component{engine: e, program: program, digest: digest, size: len(code)}, nil
}

// Limits bounds one invocation. A zero field takes the engine's default, which is the value
// named beside it unless Options.Defaults says otherwise.
type Limits struct {
	Memory    uint64        // bytes of linear memory, all modules together; 256 MiB
	Wall      time.Duration // 30 s
	Payload   int           // bytes one invocation may move in and out; 16 MiB
	Handles   int           // open handles per component instance; 10,000
	HostCalls int           // 100,000
	Depth     int           // nested calls inside the guest; 10,000
	Fuel      uint64        // points the guest may pass, the same for the same work on every machine; unlimited
	Output    int           // bytes on stdout and stderr together; 1 MiB
}

func defaultLimits() Limits {
	return Limits{Memory: 256 << 20, Wall: 30 * time.Second, Payload: 16 << 20,
		Handles: 10_000, HostCalls: 100_000, Depth: 10_000, Output: 1 << 20}
}

func (l Limits) or(d Limits) Limits {
	if l.Memory == 0 {
		l.Memory = d.Memory
	}
	if l.Wall == 0 {
		l.Wall = d.Wall
	}
	if l.Fuel == 0 {
		l.Fuel = d.Fuel
	}
	for _, f := range []struct {
		v   *int
		def int
	}{{&l.Payload, d.Payload}, {&l.Handles, d.Handles}, {&l.HostCalls, d.HostCalls}, {&l.Depth, d.Depth}, {&l.Output, d.Output}} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	return l
}
