package greentic

import "greentic.dev/sdk/go/internal/abi"

// Info says what a component is. ID and Version are required; the zero value of the rest is fine.
type Info struct {
	ID      string // dotted, lower case: "acme.weather"
	Version string // semantic: "0.1.0"
	Name    string // for people; the ID when empty
	Summary string // one sentence

	// Config is a struct with the default configuration, or nil. Its type gives the schema and the
	// questions asked at setup; [Context.Config] reads what an invocation was given.
	Config any

	// Secrets are all the secrets the component may ask for; the host refuses others.
	Secrets []Secret

	// Supports says where it can be used: messaging, event, job, http, component_config. Empty means
	// messaging, event and job.
	Supports []string

	// Capabilities are further capabilities the component claims, in the words of node.describe.
	// What it uses of the host is found in its binary and need not be listed.
	Capabilities []string

	// Texts are the keys of the texts it wants translated, with what they say in English. The
	// questions of Config have keys of their own.
	Texts map[string]string

	// MemoryMB and WallMS are the limits it asks for; 0 leaves them to the host.
	MemoryMB, WallMS int
}

// Secret is a secret a component may ask for.
type Secret struct {
	Key      string // "WEATHER_API_KEY"; letters, digits and . _ - /
	Doc      string
	Format   string // text (when empty), bytes or json
	Optional bool
}

// Operation is one thing a component can do; [Op] makes it.
type Operation struct {
	name, summary string
	in, out       shape
	inputs        func() any // a new input, with its defaults
	run           func(*Context, any) (any, error)
	examples      []example
}

type example struct {
	title   string
	in, out any
}

// Op is the operation name: run is called with the decoded and checked input, and its answer is
// encoded. In and Out are structs, maps by text, lists, or single values; any takes everything.
// The name matches ^[a-z][a-z0-9_.:-]*$.
func Op[In, Out any](name string, run func(ctx *Context, in In) (Out, error)) Operation {
	return Operation{name: name, in: shapeOf[In](), out: shapeOf[Out](),
		inputs: func() any { return new(In) },
		run: func(ctx *Context, in any) (any, error) {
			return run(ctx, *in.(*In))
		},
	}
}

// Doc is the operation with a sentence that says what it does.
func (o Operation) Doc(summary string) Operation {
	o.summary = summary
	return o
}

// Example is the operation with an example of an input and what it answers.
func (o Operation) Example(title string, in, out any) Operation {
	o.examples = append(o.examples[:len(o.examples):len(o.examples)], example{title, in, out})
	return o
}

// Registered is what [Component] answers: something to assign to the blank variable, and what tests
// call (see [Registered.Call]).
type Registered struct {
	info Info
	ops  []Operation
	fail string // why it cannot be used; empty when it can
}

// Component makes the program a component with these operations. Call it once, where package
// variables are set up:
//
//	var _ = greentic.Component(greentic.Info{ID: "acme.hello", Version: "0.1.0"}, greentic.Op("greet", greet))
//
// The first operation is the default one. What is wrong with a component is told when it is built.
func Component(info Info, ops ...Operation) *Registered {
	r := &Registered{info: info, ops: ops}
	r.fail = r.check()
	abi.Start()
	serve(r)
	if r.fail == "" {
		warm(r)
	}
	return r
}

// Call runs an operation as a host would: in is encoded, decoded and checked, the answer is encoded,
// and what comes back is that answer as plain values: map[string]any, []any, string, int64, float64,
// bool, nil. It is what tests outside a host use; a nil ctx is that of an empty [Mock]. The error is
// an *Error.
func (r *Registered) Call(ctx *Context, op string, in any) (any, error) {
	if ctx == nil {
		ctx = Mock{}.Context()
	}
	plain, err := encode(in)
	if err != nil {
		return nil, invalidInput(err)
	}
	ctx.Operation, ctx.defaults, ctx.input = op, r.info.Config, plain
	out, err := r.run(ctx, plain)
	if err != nil {
		return nil, failure(err)
	}
	return out, nil
}
