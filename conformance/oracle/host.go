package oracle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// Run gives the outcomes of all cases of w on our host, in order. An error means that the
// component was refused.
func Run(ctx context.Context, e *wasm.Engine, w *World) ([]*Outcome, error) {
	c, err := e.Compile(ctx, w.Component)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	b, err := c.Bind(w.hosts())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	defer b.Close()
	var out []*Outcome
	for _, cse := range w.Cases {
		out = append(out, run(ctx, b, cse))
	}
	return out, nil
}

// running is one case while it runs; it is what host functions find as Call.Data.
type running struct {
	*Case
	outcome  *Outcome
	answered map[string]int
}

// seen notes a host call and gives the canonical form of its answer.
func (r *running) seen(name string, args []any) any {
	r.outcome.Calls = append(r.outcome.Calls, HostCall{Name: name, Args: args})
	answers := r.Answers[name]
	if len(answers) == 0 {
		return nil
	}
	r.answered[name]++
	return answers[(r.answered[name]-1)%len(answers)]
}

func run(ctx context.Context, b *wasm.Bound, c *Case) (o *Outcome) {
	o = &Outcome{}
	defer func() {
		if p := recover(); p != nil {
			o.Fault = fmt.Sprintf("lifted value: %v", p)
		}
	}()
	args := []any{}
	for i, p := range c.Type.Params {
		args = append(args, toHost(p, c.Args[i]))
	}
	v, _, err := b.Invoke(ctx, wasm.Invocation{Interface: c.Interface, Func: c.Func, Args: args,
		Data: &running{c, o, map[string]int{}}})
	o.trim()
	_, _, code := fault.Detail(err)
	var trap *wasm.Trap
	switch {
	case err == nil && c.Type.Result != nil:
		o.Result = fromHost(c.Type.Result, v)
	case err == nil:
	case errors.As(err, &trap) || code == link.TrapCode || code == canon.TrapCode:
		o.Trap, o.Reason = true, err.Error()
	default:
		o.Fault = err.Error()
	}
	return o
}

// trim forgets the resources destroyed last: a host may destroy what a guest leaked when the
// invocation ends, or later. Guests of the generator call the host after each drop.
func (o *Outcome) trim() {
	for n := len(o.Calls); n > 0 && strings.HasPrefix(o.Calls[n-1].Name, "[drop]"); n-- {
		o.Calls = o.Calls[:n-1]
	}
}

func (w *World) hosts() *wasm.Hosts {
	byName := map[string]*wasm.Interface{}
	iface := func(name string) *wasm.Interface {
		if byName[name] == nil {
			byName[name] = &wasm.Interface{Name: name, Funcs: map[string]wasm.HostFunc{},
				Resources: map[string]func(context.Context, *wasm.Call, any){}}
		}
		return byName[name]
	}
	for _, imp := range w.Imports {
		iface(imp.Interface).Funcs[imp.Name] = imp.host()
	}
	for _, r := range w.Resources {
		iface(w.Home).Resources[r] = func(_ context.Context, call *wasm.Call, rep any) {
			call.Data.(*running).seen("[drop]"+r, []any{handleForm(rep)})
		}
	}
	h := &wasm.Hosts{}
	for _, i := range byName {
		h.Add(i)
	}
	return h
}

// name is how logs and answers name the function.
func (i Import) name() string {
	if i.Interface == "" {
		return i.Name
	}
	return i.Interface + "#" + i.Name
}

func (i Import) host() wasm.HostFunc {
	return func(_ context.Context, call *wasm.Call, args []any) (any, error) {
		var seen []any
		for j, p := range i.Type.Params {
			seen = append(seen, fromHost(p, args[j]))
		}
		answer := call.Data.(*running).seen(i.name(), seen)
		if i.Type.Result == nil {
			return nil, nil
		}
		return toHost(i.Type.Result, answer), nil
	}
}
