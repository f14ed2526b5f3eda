package link

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero/api"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/plan"
	"greentic.dev/wasm/rewrite"
)

// Program is a plan with its core modules compiled. It is safe for concurrent use; bindings of
// it with different hosts share the code.
type Program struct {
	plan   *Plan
	engine *core.Engine
	codes  []*core.Code // by core instance
	host   api.Module

	mu    sync.Mutex
	pools map[*pool]struct{} // of the bindings that are open
}

// Compile rewrites and compiles every core module of the plan, also to check those that nobody
// instantiates. Core modules with features the engine refuses are Unsupported, ill-typed ones
// Invalid.
func Compile(ctx context.Context, e *core.Engine, plan *Plan) (*Program, error) {
	p := &Program{plan: plan, engine: e, pools: map[*pool]struct{}{}}
	if err := p.compile(ctx); err != nil {
		_ = p.Close(ctx) // the first failure is the one to tell
		return nil, err
	}
	return p, nil
}

func (p *Program) compile(ctx context.Context) error {
	for _, c := range p.plan.Cores {
		renames := make([]rewrite.Rename, len(c.Links))
		for i, l := range c.Links {
			renames[i] = rename(l)
		}
		code, err := p.engine.Compile(ctx, c.Module.Parsed, renames)
		if err != nil {
			return fault.Wrap("compile core module", err)
		}
		p.codes = append(p.codes, code)
	}
	for _, m := range p.plan.Unused {
		renames := make([]rewrite.Rename, len(m.Imports))
		for i, imp := range m.Imports {
			renames[i] = rewrite.Rename{Module: "i0", Name: imp.Name} // never linked
		}
		code, err := p.engine.Compile(ctx, m.Parsed, renames)
		if err == nil {
			err = code.Close(ctx)
		}
		if err != nil {
			return fault.Wrap("compile core module", err)
		}
	}
	return p.makeHost(ctx)
}

// makeHost makes the functions that canonical definitions made.
func (p *Program) makeHost(ctx context.Context) (err error) {
	funcs := make([]core.HostFunc, len(p.plan.Made))
	for i, f := range p.plan.Made {
		funcs[i] = core.HostFunc{
			Name: hostItem(i), Params: f.Params, Results: f.Results,
			Fn: func(ctx context.Context, _ api.Module, stack []uint64) {
				in := instanceOf(ctx)
				if err := in.serve(f, stack); err != nil {
					in.raise(err)
				}
			},
		}
	}
	if len(funcs) > 0 {
		p.host, err = p.engine.HostModule(ctx, funcs)
	}
	return err
}

// Close closes all bindings, frees the host module and gives up its share of the compiled code.
func (p *Program) Close(ctx context.Context) error {
	p.mu.Lock()
	open := slices.Collect(maps.Keys(p.pools))
	p.mu.Unlock()
	for _, pool := range open {
		pool.close()
	}
	var errs []error
	if p.host != nil {
		errs = append(errs, p.host.Close(ctx))
	}
	for _, code := range p.codes {
		errs = append(errs, code.Close(ctx))
	}
	return errors.Join(errs...)
}

// Plan is the plan the program was compiled from.
func (p *Program) Plan() *Plan { return p.plan }

// Bound is a program whose imports are satisfied. It is safe for concurrent use.
type Bound struct {
	program     *Program
	impls       []Func // by need
	steady      []bool // by need: may be called while an image is made
	quick       []bool // by need: never waits
	destructors map[*binary.Resource]func(ctx context.Context, call *Call, rep any)
	plain       map[*binary.Resource]func(rep any) bool // Interface.Fixed of resources without a destructor
	pool        *pool
}

// MissingImport is the cause of an error: a component imports a function that nobody offers.
type MissingImport struct {
	Interface string // empty for a function at world level
	Func      string
}

// Error says what is the matter; the error around it names the import.
func (*MissingImport) Error() string { return "no host function of this name is offered" }

// Bind looks up every function the component imports in hosts, the first that has the
// interface wins. One that nothing satisfies is Unsupported and named, with a *[MissingImport]
// as cause, unless one of hosts traps missing imports. Interfaces without functions always link.
func (p *Program) Bind(hosts ...*Hosts) (*Bound, error) {
	b := &Bound{program: p, impls: make([]Func, len(p.plan.Needs)), steady: make([]bool, len(p.plan.Needs)), quick: make([]bool, len(p.plan.Needs)),
		destructors: map[*binary.Resource]func(context.Context, *Call, any){}, plain: map[*binary.Resource]func(any) bool{}}
	trapMissing := slices.ContainsFunc(hosts, func(h *Hosts) bool { return h != nil && h.TrapMissing })
	for i, n := range p.plan.Needs {
		if iface := find(hosts, n.Iface); iface != nil {
			b.impls[i], b.steady[i], b.quick[i] = iface.Funcs[n.Name], iface.Fixed != nil, iface.Quick
		}
		if b.impls[i] != nil {
			continue
		}
		missing := fault.As(fault.Unsupported, "import "+plan.FuncName(n.Iface, n.Name), &MissingImport{Interface: n.Iface, Func: n.Name})
		if !trapMissing {
			return nil, missing
		}
		b.impls[i] = func(context.Context, *Call, []any) (any, error) { return nil, missing }
	}
	for _, imp := range p.plan.Imports() {
		iface := find(hosts, imp.Name)
		if imp.Funcs == nil { // a resource at world level is one of the nameless interface, like a function there
			iface = find(hosts, "")
		}
		for name, r := range imp.Identity {
			if r.Host == "" || iface == nil {
				continue
			}
			if d := iface.Resources[name]; d != nil {
				b.destructors[r] = d
			} else if iface.Fixed != nil {
				b.plain[r] = iface.Fixed
			}
		}
	}
	b.pool = newPool(p)
	runtime.AddCleanup(b, (*pool).close, b.pool) // for bindings that are dropped, not closed
	return b, nil
}

// Close frees the instances kept for later calls; calls that are running end as usual, and
// later ones work on fresh instances.
func (b *Bound) Close() { b.pool.close() }

// fixed says whether a handle may be part of an image: to a resource of the component itself,
// whose state is in its memory, or to one of the host that holds nothing of one invocation.
func (b *Bound) fixed(e canon.Entry) bool {
	if !e.Own {
		return false
	}
	if b.program.plan.Resources[e.Resource] != nil {
		return true
	}
	f := b.plain[e.Resource]
	return f != nil && f(e.Rep)
}

// hostModule is the module name under which core modules import what canon made; the core
// instance with number n is imported as "i<n>".
const hostModule = "h"

func rename(it plan.CoreItem) rewrite.Rename {
	if it.Core < 0 {
		return rewrite.Rename{Module: hostModule, Name: hostItem(it.Made.Index)}
	}
	return rewrite.Rename{Module: "i" + strconv.Itoa(it.Core), Name: it.Name}
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
