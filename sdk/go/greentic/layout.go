package greentic

import (
	"math"

	"greentic.dev/sdk/go/internal/abi"
	"greentic.dev/sdk/go/internal/value"
)

// Sizes in bytes of the records of greentic:component/node@0.6.0 in memory.
const (
	sizeInvoke     = 144 // op and invocation-envelope
	sizeInvoked    = 64  // result<invocation-result, node-error>
	sizeDescriptor = 96
	sizeOp         = 92
	sizeExample    = 24
	sizeSetup      = 44 // option<setup-contract>
	sizeOutput     = 24 // setup-output
)

// invoke reads the arguments of node.invoke at p, runs the operation and gives the address of the
// result.
func (r *Registered) invoke(a *abi.Arena, p uint32) uint32 {
	q := a.Read(p, sizeInvoke)
	ctx := &Context{Operation: q.String(), defaults: r.info.Config}
	t := &ctx.Tenant
	t.ID, t.Team, t.User, t.Env = q.String(), q.OptString(), q.OptString(), q.String()
	t.Trace, t.Correlation = q.String(), q.String()
	if ms := q.U64(); ms <= math.MaxInt64 {
		ctx.DeadlineMS = int64(ms)
	}
	q.U32() // the attempt again
	t.IdempotencyKey, t.Locale = q.OptString(), q.String()
	ctx.Flow, ctx.Node, ctx.Component, ctx.Attempt = q.String(), q.String(), q.String(), int(q.U32())
	payload := q.Bytes()
	if metadata := q.OptString(); metadata != "" {
		ctx.Metadata, _ = value.FromCBOR([]byte(metadata))
	}
	output, err := r.answer(ctx, payload)

	w := a.Write(sizeInvoked)
	if err != nil {
		writeError(w, err)
		return w.Addr()
	}
	w.Tag(0, 8)
	w.Bool(true)
	w.Bytes(output)
	return w.Addr() // no metadata
}

// answer runs the operation over encoded values.
func (r *Registered) answer(ctx *Context, payload []byte) ([]byte, *Error) {
	if len(payload) > 0 {
		input, err := value.FromCBOR(payload)
		if err != nil {
			return nil, invalidInput(err)
		}
		ctx.input = input
	}
	out, err := r.run(ctx, ctx.input)
	if err != nil {
		return nil, failure(err)
	}
	b, err := value.ToCBOR(out)
	if err != nil {
		return nil, Fail(CodeInvalidOutput, "the answer of "+ctx.Operation+": "+err.Error())
	}
	return b, nil
}

func writeError(w *abi.Writer, e *Error) {
	w.Tag(1, 8)
	w.String(e.Code)
	w.String(e.Message)
	w.Bool(e.Retryable)
	if e.BackoffMS > 0 {
		w.Tag(1, 8)
		w.U64(uint64(e.BackoffMS))
	} else {
		w.Skip(16, 8)
	}
	if e.Details == nil {
		return
	}
	if plain, err := encode(e.Details); err == nil {
		if b, err := value.ToCBOR(plain); err == nil {
			w.Tag(1, 4)
			w.Bytes(b)
		}
	}
}

// describe gives the address of the component-descriptor.
func (r *Registered) describe(a *abi.Arena) uint32 {
	w := a.Write(sizeDescriptor)
	w.String(r.info.ID)
	w.String(r.info.Version)
	w.OptString(r.info.Summary)
	w.List(len(r.info.Capabilities), 8, func(w *abi.Writer, i int) { w.String(r.info.Capabilities[i]) })
	ops := r.ops
	if r.fail != "" {
		ops = nil
	}
	w.List(len(ops), sizeOp, func(w *abi.Writer, i int) {
		op := &ops[i]
		w.String(op.name)
		w.OptString(op.summary)
		for _, side := range []shape{op.in, op.out} {
			inline(w, schemaIR(side, rule{}))
			w.String("application/cbor")
			w.OptString("")
		}
		w.List(len(op.examples), sizeExample, func(w *abi.Writer, i int) {
			e := op.examples[i]
			w.String(e.title)
			w.Bytes(document(e.in))
			w.Bytes(document(e.out))
		})
	})
	w.List(0, 0, nil) // schemas
	if r.info.Config == nil || r.fail != "" {
		w.Skip(sizeSetup, 4)
		return w.Addr()
	}
	w.Tag(1, 4)
	inline(w, r.questions("setup"))
	inline(w, r.configIR())
	w.List(0, 0, nil)                                                           // examples
	w.List(1, sizeOutput, func(w *abi.Writer, _ int) { w.Skip(sizeOutput, 4) }) // config-only
	return w.Addr()
}

// inline writes a schema-source with the document inside.
func inline(w *abi.Writer, v any) {
	w.Tag(1, 4)
	w.Bytes(document(v))
}

// document is v in CBOR; what has no value form was refused by check.
func document(v any) []byte {
	plain, err := encode(v)
	if err == nil {
		if b, err := value.ToCBOR(plain); err == nil {
			return b
		}
	}
	return []byte{0xf6}
}
