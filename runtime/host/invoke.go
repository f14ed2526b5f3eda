package host

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/flow"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// Request is one call of a component.
type Request struct {
	Pack, Flow, Node string // where the call stands; secrets are looked up for Pack
	Component        string // the reference the flow used; empty: the name given to Load
	Operation        string
	Input            any    // JSON-like
	Config           any    // travels as the input's field "config" unless it has one; nil: none
	Envelope         bool   // wrap the input as the lines before 0.6 were wrapped; other ABIs ignore it
	Attempt          uint32 // 0 counts as 1
	Grants           Grants
	State            State // nil: unavailable
	Assets           fs.FS // the pack's files, read-only at "/"; nil: none

	Record *RecordOptions // make a Response.Trace; nil: none
	// Replay runs the call without effects: the trace answers what it asks of the host, the time
	// and random numbers are the recorded ones, log lines go nowhere. Only the request and Assets
	// are the caller's; Record is ignored.
	Replay *trace.Trace
}

// Grants is what a call may reach. The zero value is nothing.
type Grants struct {
	Hosts        []HostGrant
	Secrets      []string // keys to read, in any spelling of their canonical form
	WriteSecrets []string // keys to write
	State        bool
	Scratch      bool // a directory in memory at /scratch, gone with the call
}

// HostGrant lets a component send requests to one host.
type HostGrant = egress.Grant

// State is the working memory behind state-store, already bound to tenant and scope by the
// caller. Values are JSON text. Errors by kind: fault.NotFound, fault.Unavailable, fault.Invalid
// (key); anything else is internal to the guest.
type State interface {
	Read(ctx context.Context, key string) ([]byte, error)
	Write(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
}

// Response is what a component answered.
type Response struct {
	OK      bool           // false when Fail is set
	Output  any            // JSON-like; with Fail: the answer as it was, or {ok: false, error}
	Fail    *flow.NodeFail // the component's own failure (formats digest 2.6)
	Backoff time.Duration  // with Fail: wait this long before another attempt, as it said, or else the longest Retry-After it met; 0: not said
	Calls   []Call         // what it asked the host for, in order; at most 1,000
	Stats   wasm.Stats

	Trace      *trace.Trace      // with Request.Record, also when Invoke fails
	Divergence *trace.Divergence // with Request.Replay: where it first differs from the trace; nil: nowhere
}

// Invoke calls one operation for tenant with fresh state. A failure the component reports is
// in Response.Fail; an error means that there is no answer: fault.Invalid (the component
// trapped, code wasm's TrapCode, or answered nonsense), fault.Timeout, fault.Canceled,
// fault.Exhausted (a limit), or the kind of the host function that ended it. Response.Calls and
// Stats are set in either case. Neither carries a secret. An MCP router is not called through
// operations: fault.Unsupported. In a replay a call that differs from the trace ends the component:
// fault.Conflict with CodeDiverged; one that is missing does not.
func (c *Component) Invoke(ctx context.Context, tenant greentic.TenantCtx, r Request) (Response, error) {
	op := "component " + c.name
	if c.abi == ABIRouter {
		return Response{}, fault.New(fault.Unsupported, op, routerText)
	}
	if r.Operation != "" {
		op += " " + r.Operation
	}
	if err := tenant.Check(); err != nil {
		return Response{}, fault.Wrap(op, err)
	}
	if !tenant.Deadline.IsZero() && r.Replay == nil { // a replay is told the deadline of then
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, tenant.Deadline)
		defer cancel()
	}
	if r.Attempt == 0 {
		r.Attempt = 1
	}
	if r.Component == "" {
		r.Component = c.name
	}
	inv := &invocation{host: c.host, tenant: tenant, request: &r, component: c.name, owner: string(tenant.Env) + "/" + string(tenant.Tenant), origin: c.host.origin()}
	ctx, done, err := c.watch(ctx, inv, r)
	if err != nil {
		return Response{}, fault.Wrap(op, err)
	}
	defer done()
	entry := c.entry(r.Operation)
	args, err := c.arguments(ctx, tenant, r, entry)
	if err != nil {
		return Response{}, fault.Wrap(op, err)
	}
	value, stats, err := c.call(ctx, inv, string(c.abi), entry, args)
	resp := Response{Calls: inv.calls, Stats: stats, Trace: inv.finish(stats.Kept)}
	var stopped error
	if resp.Divergence, stopped = inv.divergence(); stopped != nil {
		err = stopped
	}
	if err == nil {
		err = c.read(&resp, value)
	}
	if err != nil {
		return resp, inv.clean(op, err)
	}
	if resp.Fail != nil {
		resp.Fail.Message = inv.redact(resp.Fail.Message)
		if resp.Backoff == 0 {
			resp.Backoff = inv.wait
		}
	}
	resp.OK = resp.Fail == nil
	return resp, nil
}

// call runs one exported function with this invocation's world.
func (c *Component) call(ctx context.Context, inv *invocation, iface, name string, args []any) (any, wasm.Stats, error) {
	output := &lines{inv: inv, ctx: ctx}
	world := wasi.Config{Files: inv.request.Assets, Scratch: inv.scratch(), Stdout: output, Stderr: output, Clock: c.host.deps.Now, HTTP: inv.transport(), Origin: inv.origin}
	bound := c.bound
	switch {
	case inv.player != nil:
		world.Witness, world.Random, world.Sleep, bound = inv.player, inv.player, sleepless, inv.player.bound
	case inv.recorder != nil:
		world.Witness, world.Random = inv.recorder, inv.recorder
	}
	value, stats, err := bound.Invoke(ctx, wasm.Invocation{
		Interface: iface, Func: name, Args: args, Data: inv, Limits: c.host.opts.Limits, Owner: inv.owner, WASI: world,
	})
	output.flush()
	if err != nil && output.last != "" && fault.Is(err, fault.Invalid) {
		err = &fault.Error{Kind: fault.KindOf(err), Msg: "it said " + quote(output.last), Err: err}
	}
	return value, stats, err
}

// scratchBytes is how much a component may keep in its scratch directory.
const scratchBytes = 16 << 20

func (inv *invocation) scratch() (s wasi.Scratch) {
	if inv.request.Grants.Scratch {
		s.Bytes = scratchBytes
	}
	return s
}

// entry is the function that carries out an operation. Providers have functions of their own
// for healthcheck and validate-config.
func (c *Component) entry(operation string) string {
	if c.abi == ABISchemaCore {
		switch operation {
		case "healthcheck":
			if _, ok := c.code.Func(string(c.abi), operation); ok {
				return operation
			}
		case "validate-config", "validate_config":
			if _, ok := c.code.Func(string(c.abi), "validate-config"); ok {
				return "validate-config"
			}
		}
	}
	return c.abi.entry()
}

// arguments builds the arguments of an entry function.
func (c *Component) arguments(ctx context.Context, tenant greentic.TenantCtx, r Request, entry string) ([]any, error) {
	if entry == "healthcheck" {
		return nil, nil
	}
	input := withConfig(r.Input, r.Config)
	if c.abi == ABISchemaCore {
		b, err := encodeJSON(input)
		if entry == "validate-config" {
			return []any{b}, err
		}
		return []any{r.Operation, b}, err
	}
	if c.abi.older() {
		return c.olderArguments(ctx, tenant, r, input)
	}
	whole, _ := integers(input)
	b, err := cbor.Marshal(whole)
	if err != nil {
		return nil, err
	}
	switch c.abi {
	case ABIRun:
		return []any{b, []byte{0xa0}}, nil
	case ABIRuntime:
		return []any{r.Operation, b}, nil
	}
	f, _ := c.code.Func(string(c.abi), entry)
	envelope, err := shape(f.Params[1].Type, map[string]any{
		"ctx":     tenantFields(ctx, tenant, r),
		"flow-id": r.Flow, "step-id": r.Node, "component-id": r.Component,
		"attempt": uint64(r.Attempt), "payload-cbor": b,
	})
	return []any{r.Operation, envelope}, err
}

// clean wraps err and takes secrets out of its text.
func (inv *invocation) clean(op string, err error) error {
	err = fault.Wrap(op, err)
	if text := err.Error(); inv.redact(text) != text {
		// the chain below would still say it: keep kind, code and fix only
		_, fix, code := fault.Detail(err)
		return &fault.Error{Kind: fault.KindOf(err), Op: op, Code: code, Fix: inv.redact(fix), Err: errors.New(inv.redact(text[len(op)+2:]))}
	}
	return err
}
