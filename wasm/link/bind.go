package link

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/core"
)

// Program is a plan with its core modules compiled. It is safe for concurrent use; bindings of
// it with different hosts share the code.
type Program struct {
	plan   *Plan
	engine *core.Engine
	codes  []*core.Code // by core instance
	host   api.Module
}

// Compile rewrites and compiles every core module of the plan. Core modules with features the
// engine refuses are Unsupported, ill-typed ones Invalid.
func Compile(ctx context.Context, e *core.Engine, plan *Plan) (*Program, error) {
	p := &Program{plan: plan, engine: e, codes: make([]*core.Code, len(plan.cores))}
	for i, c := range plan.cores {
		renames := make([]core.Rename, len(c.links))
		for j, l := range c.links {
			renames[j] = rename(l)
		}
		var err error
		if p.codes[i], err = e.Compile(ctx, c.module.parsed, renames); err != nil {
			return nil, fault.Wrap("compile core module", err)
		}
	}
	funcs := make([]core.HostFunc, len(plan.made))
	for i, f := range plan.made {
		funcs[i] = core.HostFunc{
			Name: hostItem(i), Params: f.params, Results: f.results,
			Fn: func(ctx context.Context, _ api.Module, stack []uint64) {
				in := instanceOf(ctx)
				if err := in.serve(f, stack); err != nil {
					in.raise(err)
				}
			},
		}
	}
	var err error
	if len(funcs) > 0 {
		p.host, err = e.HostModule(ctx, funcs)
	}
	return p, err
}

// Close frees the host module; the compiled code belongs to the engine.
func (p *Program) Close(ctx context.Context) error {
	if p.host == nil {
		return nil
	}
	return p.host.Close(ctx)
}

// Plan is the plan the program was compiled from.
func (p *Program) Plan() *Plan { return p.plan }

// Bound is a program whose imports are satisfied. It is safe for concurrent use.
type Bound struct {
	program     *Program
	impls       []Func // by need
	destructors map[*binary.Resource]func(ctx context.Context, call *Call, rep any)
}

// Bind looks up every function the component imports in hosts, the first that has the
// interface wins. One that nothing satisfies is Unsupported and named, unless one of hosts
// traps missing imports. Interfaces without functions always link.
func (p *Program) Bind(hosts ...*Hosts) (*Bound, error) {
	b := &Bound{program: p, impls: make([]Func, len(p.plan.needs)),
		destructors: map[*binary.Resource]func(context.Context, *Call, any){}}
	trapMissing := slices.ContainsFunc(hosts, func(h *Hosts) bool { return h != nil && h.TrapMissing })
	for i, n := range p.plan.needs {
		if iface := find(hosts, n.iface); iface != nil {
			b.impls[i] = iface.Funcs[n.name]
		}
		if b.impls[i] != nil {
			continue
		}
		missing := fault.Newf(fault.Unsupported, "import "+hostName(n.iface, n.name), "no host function of this name is offered")
		if !trapMissing {
			return nil, missing
		}
		b.impls[i] = func(context.Context, *Call, []any) (any, error) { return nil, missing }
	}
	for _, imp := range p.plan.imports {
		iface := find(hosts, imp.Name)
		for name, r := range imp.identity {
			if r.Host != "" && iface != nil && iface.Resources[name] != nil {
				b.destructors[r] = iface.Resources[name]
			}
		}
	}
	return b, nil
}

// hostModule is the module name under which core modules import what canon made; the core
// instance with number n is imported as "i<n>".
const hostModule = "h"

func rename(it coreItem) core.Rename {
	if it.core < 0 {
		return core.Rename{Module: hostModule, Name: hostItem(it.made.index)}
	}
	return core.Rename{Module: "i" + strconv.Itoa(it.core), Name: it.name}
}

func hostItem(i int) string { return "f" + strconv.Itoa(i) }

func coreNumber(module string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(module, "i"))
	return n, err == nil
}

func find(hosts []*Hosts, iface string) *Interface {
	for _, h := range hosts {
		if i := h.find(iface); i != nil {
			return i
		}
	}
	return nil
}
