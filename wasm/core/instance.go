package core

import (
	"context"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/rewrite"
)

// InstanceOptions says what an instance is linked to and what it may use.
type InstanceOptions struct {
	Resolve func(module string) api.Module // imports by module name; nil for one that does not exist
	Memory  *Budget                        // shared by the instances of one invocation; nil means no limit
	Depth   int                            // nested calls; 0 means rewrite.DefaultDepth

	// Resume makes an instance that does not start: it must be restored before it is called.
	Resume bool
}

// Instance is a live module. It serves one goroutine at a time. Whoever made it closes it: that
// frees its memory, so that views of it and functions of it must not be used afterwards.
type Instance struct {
	code        *Code
	module      api.Module
	gauge, used api.MutableGlobal
	lasted      api.Global // nil when the module changes nothing that lasts
	memory      *memory    // defined by this module; may be nil
	budget      *Budget
	depth       int
	images      Way
	globals     []api.MutableGlobal // of the guest, once they were asked for
	closing     sync.Once
}

// Instantiate makes an instance and runs its start function. The context bounds that as it
// bounds every later call: when it ends, the guest does at its next safe point, and the call
// fails with an error for which IsKilled holds. What does not fit into the budget is
// fault.Exhausted, what cannot be linked fault.Invalid.
func (e *Engine) Instantiate(ctx context.Context, c *Code, o InstanceOptions) (*Instance, error) {
	i := &Instance{code: c, budget: o.Memory, depth: o.Depth, images: e.images}
	if i.budget == nil {
		i.budget = &Budget{}
	}
	if i.depth <= 0 {
		i.depth = rewrite.DefaultDepth
	}
	if err := i.reserve(); err != nil {
		return nil, err
	}
	resolve := func(name string) api.Module {
		switch {
		case name != rewrite.PointModule:
		case o.Resume:
			return e.resumed
		default:
			return e.point
		}
		if o.Resolve == nil {
			return nil
		}
		return o.Resolve(name)
	}
	ctx = experimental.WithImportResolver(ctx, resolve)
	if i.memory != nil {
		ctx = experimental.WithMemoryAllocator(ctx, i.memory)
	}
	var err error
	if i.module, err = e.runtime.InstantiateModule(ctx, c.compiled, config()); err != nil {
		i.release()
		return nil, linkFailure(err)
	}
	i.gauge = i.module.ExportedGlobal(rewrite.Gauge).(api.MutableGlobal)
	i.used = i.module.ExportedGlobal(rewrite.Used).(api.MutableGlobal)
	if c.facts.Lasts {
		i.lasted = i.module.ExportedGlobal(rewrite.Lasted)
	}
	i.gauge.Set(uint64(int64(i.gauge.Get())>>32)<<32 | uint64(uint32(i.depth)))
	return i, nil
}

// reserve takes what the module needs before it is made, because the engine cannot be refused
// memory half-way.
func (i *Instance) reserve() error {
	if !i.budget.grow(0, i.code.facts.TableBytes) {
		return fault.Newf(fault.Exhausted, "guest tables", "%d bytes, the limit is %d", i.code.facts.TableBytes, i.budget.Limit)
	}
	if t := i.code.facts.Memory; t != nil {
		m, err := newMemory(i.budget, uint64(t.Min)<<16, uint64(t.Max)<<16)
		if err != nil {
			i.budget.grow(i.code.facts.TableBytes, 0)
			return err
		}
		i.memory = m
	}
	return nil
}

func (i *Instance) release() {
	if i.memory != nil {
		i.memory.release()
	}
	i.budget.grow(i.code.facts.TableBytes, 0)
}

// config is nameless, starts nothing but the start section, and has no costly random source:
// core modules reach the world through their imports only.
func config() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(strings.NewReader(""))
}

// Module is the wazero module, for calls and for other instances to import from.
func (i *Instance) Module() api.Module { return i.module }

// Memory is the memory the module defines or imports; nil when it has none.
func (i *Instance) Memory() api.Memory {
	if i.code.facts.Memories == 0 {
		return nil
	}
	return i.module.Memory()
}

// Func makes a function object for an export; nil when there is none of that name. An object
// costs about 10 KiB, serves one call at a time and must be dropped after a trap.
func (i *Instance) Func(name string) api.Function { return i.module.ExportedFunction(name) }

// Fuel is how many points the instance has spent; see rewrite.Slice. It must not be running.
func (i *Instance) Fuel() uint64 {
	return i.used.Get() + uint64(rewrite.Slice-int64(i.gauge.Get())>>32)
}

// Close frees the instance. It must not be running, nor may another that imports its memory.
func (i *Instance) Close(ctx context.Context) error {
	var err error
	i.closing.Do(func() {
		err = i.module.Close(ctx)
		i.release()
	})
	return fault.Wrap("core instance", err)
}
