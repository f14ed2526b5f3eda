package core

import (
	"context"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// InstanceOptions says what an instance is linked to and what it may use.
type InstanceOptions struct {
	Resolve func(module string) api.Module // imports by module name; nil for one that does not exist
	Memory  *Budget                        // shared by the instances of one invocation
	Depth   int                            // nested calls; 0 means DefaultDepth
}

// Instance is a live module. It serves one goroutine at a time; Close frees its memory.
type Instance struct {
	module      api.Module
	gauge, used api.Global
}

// Instantiate makes an instance and runs its start function. The context bounds that as it
// bounds every later call: when it ends, the guest does at its next safe point, and the call
// fails with the context's error.
func (e *Engine) Instantiate(ctx context.Context, c *Code, o InstanceOptions) (*Instance, error) {
	resolve := func(name string) api.Module {
		if name == pointModule {
			return e.point
		}
		if o.Resolve == nil {
			return nil
		}
		return o.Resolve(name)
	}
	budget := o.Memory
	if budget == nil {
		budget = &Budget{}
	}
	ictx := experimental.WithMemoryAllocator(experimental.WithImportResolver(ctx, resolve), budget)
	m, err := e.runtime.InstantiateModule(ictx, c.compiled, config())
	if err != nil {
		return nil, err
	}
	if o.Depth > 0 {
		m.ExportedGlobal(exportGauge).(api.MutableGlobal).Set(Slice<<32 | uint64(uint32(o.Depth)))
	}
	return &Instance{module: m, gauge: m.ExportedGlobal(exportGauge), used: m.ExportedGlobal(exportUsed)}, nil
}

// config is nameless, starts nothing but the start section, and has no costly random source:
// core modules reach the world through their imports only.
func config() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(noRandom{})
}

type noRandom struct{}

func (noRandom) Read([]byte) (int, error) { return 0, io.EOF }

// Module is the wazero module, for calls and memory.
func (i *Instance) Module() api.Module { return i.module }

// Fuel is how many safe points the instance has passed: function entries and loop turns.
func (i *Instance) Fuel() uint64 {
	return i.used.Get() + uint64(Slice-int64(i.gauge.Get())>>32)
}

// Close frees the instance. It must not be running.
func (i *Instance) Close(ctx context.Context) error { return i.module.Close(ctx) }
