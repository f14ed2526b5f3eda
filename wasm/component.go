package wasm

import (
	"context"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
	"greentic.dev/wasm/wasihttp"
)

// Component is a compiled component. It is immutable and safe for concurrent use; it lives as
// long as its engine.
type Component struct {
	engine  *Engine
	program *link.Program
	digest  string
	size    int
}

// Digest is "sha256:" and the hash of the binary in hex.
func (c *Component) Digest() string { return c.digest }

// Size is the length of the binary in bytes.
func (c *Component) Size() int { return c.size }

// Item is an import or export, fully resolved. Either Func is set (a function at world level),
// or Type or Resources (a type at world level), or it is an interface.
type Item struct {
	Name      string
	Func      *binary.Func
	Funcs     map[string]*binary.Func // by WIT name: "send", "[method]r.f"
	Order     []string                // the names in Funcs, in the order of the binary
	Resources []string
	Types     map[string]*binary.Type
}

// Imports lists what the component imports, in the order of the binary.
func (c *Component) Imports() []Item { return items(c.program.Plan().Imports()) }

// Exports lists what the component exports, in the order of the binary.
func (c *Component) Exports() []Item { return items(c.program.Plan().Exports()) }

func items(externs []link.Extern) []Item {
	out := make([]Item, len(externs))
	for i, e := range externs {
		out[i] = Item{Name: e.Name, Func: e.Func, Funcs: e.Funcs, Order: e.Order, Resources: e.Resources, Types: e.Types}
	}
	return out
}

// Func finds an exported function: iface is the exact interface name with its version, or
// empty for a function at world level.
func (c *Component) Func(iface, name string) (*binary.Func, bool) {
	return c.program.Plan().Func(iface, name)
}

// Bind satisfies the imports of the component with h (which may be nil) and with WASI 0.2,
// which h may override per interface. An import that nothing satisfies is Unsupported and
// named, with a *[MissingImport] as cause. The result is for any number of invocations.
func (c *Component) Bind(h *link.Hosts) (*Bound, error) {
	system := &link.Hosts{}
	wasi.Register(system)
	wasihttp.Register(system)
	b, err := c.program.Bind(h, system)
	if err != nil {
		return nil, err
	}
	return &Bound{component: c, bound: b}, nil
}

// Bound is a component with its imports satisfied. It is safe for concurrent use.
type Bound struct {
	component *Component
	bound     *link.Bound
}

// Invocation is one call of an exported function.
type Invocation struct {
	Interface string // exact name with version; empty for a function at world level
	Func      string
	Args      []any       // see package canon for the forms
	Data      any         // handed to host functions as Call.Data
	WASI      wasi.Config // what the guest sees of the system; the zero value is an empty world
	Limits    Limits

	// Owner is for whom this runs: Options.Concurrency bounds what one owner runs at once, and
	// the instance may be kept for it after the call, for instance the tenant: an
	// instance never serves two owners. Kept or not, each call sees the component as it was
	// when it had just started; it starts with WASI only. Random numbers and times it
	// remembers from its start are the same for a while: a generator that was seeded then, such
	// as math/rand of Go, repeats itself in every call. Empty: nothing is kept.
	Owner string
}

// Close frees the instances kept for later calls; a binding that is dropped frees them too.
// Calls that are running end as usual.
func (b *Bound) Close() { b.bound.Close() }

// Invoke runs one call with fresh state. Results are as package canon describes. The error
// is Timeout or Canceled when ctx or Limits.Wall ended it, Exhausted at another limit, Invalid
// with code link.TrapCode and a *link.Trap as cause when the guest trapped, Invalid with code
// canon.TrapCode when it broke the canonical ABI, NotFound when the component exports no such
// function; failures of host functions keep their kind.
func (b *Bound) Invoke(ctx context.Context, inv Invocation) (any, Stats, error) {
	lim := inv.Limits.or(b.component.engine.defaults)
	ctx, cancel := context.WithTimeout(ctx, lim.Wall)
	defer cancel()
	if inv.Owner != "" { // until the last of its requests has ended: this is deferred before Close
		if err := b.component.engine.turns.take(ctx, inv.Owner); err != nil {
			return nil, Stats{}, fault.Wrap("invoke", err)
		}
		defer b.component.engine.turns.give(inv.Owner)
	}
	if inv.WASI.OutputLimit == 0 {
		inv.WASI.OutputLimit = int64(lim.Output)
	}
	system := wasi.NewState(inv.WASI)
	defer system.Close()
	r := link.Request{
		Interface: inv.Interface, Func: inv.Func, Args: inv.Args,
		Data: inv.Data, System: system,
		Limits: link.Limits{Memory: lim.Memory, Payload: lim.Payload, Handles: lim.Handles, HostCalls: lim.HostCalls, Depth: lim.Depth, Fuel: lim.Fuel},
	}
	if inv.Owner != "" {
		r.Owner, r.Birth = inv.Owner, wasi.Birth(inv.WASI)
	}
	return b.bound.Invoke(ctx, r)
}
