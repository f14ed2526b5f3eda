package guest

import "greentic.dev/examples/helpdesk/guests/value"

// Sizes in bytes of the records of greentic:component/node@0.6.0 in memory.
const (
	sizeInvoke     = 144 // op and invocation-envelope
	sizeInvoked    = 64  // result<invocation-result, node-error>
	sizeDescriptor = 96
	sizeOp         = 92
	sizeSetup      = 44 // option<setup-contract>
)

// invoke reads the arguments at p, runs the node and gives the address of the result.
func (n *Node) invoke(a *Arena, p uint32) uint32 {
	r := a.Read(p, sizeInvoke)
	c := &Call{Op: r.String()}
	t := &c.Tenant
	t.ID, t.Team, t.User, t.Env = r.String(), r.OptString(), r.OptString(), r.String()
	t.Trace, t.Correlation = r.String(), r.String()
	t.DeadlineMS, c.Attempt = r.U64(), r.U32()
	t.IdempotencyKey, t.Locale = r.OptString(), r.String()
	c.FlowID, c.StepID, c.ComponentID, c.Attempt = r.String(), r.String(), r.String(), r.U32()
	output, err := n.run(c, r.Bytes())

	w := a.Write(sizeInvoked)
	if err != nil {
		f := failOf(err)
		w.Tag(1, 8)
		w.String(f.Code)
		w.String(f.Message)
		w.Bool(f.Retryable)
		if f.BackoffMS > 0 {
			w.Tag(1, 8)
			w.U64(f.BackoffMS)
		}
		return w.Addr() // no details
	}
	w.Tag(0, 8)
	w.Bool(true)
	w.Bytes(output)
	return w.Addr() // no metadata
}

// describe gives the address of the component-descriptor.
func (n *Node) describe(a *Arena) uint32 {
	w := a.Write(sizeDescriptor)
	w.String(n.Name)
	w.String(n.Version)
	w.OptString(n.Summary)
	w.List(len(n.Capabilities), 8, func(w *Writer, i int) { w.String(n.Capabilities[i]) })
	w.List(len(n.Ops), sizeOp, func(w *Writer, i int) {
		op := &n.Ops[i]
		w.String(op.Name)
		w.OptString(op.Summary)
		schema(w, op.Input)
		schema(w, op.Output)
		w.List(0, 0, nil) // examples
	})
	w.List(0, 0, nil) // schemas
	w.Skip(sizeSetup, 4)
	return w.Addr()
}

// schema writes an io-schema with the document inside.
func schema(w *Writer, ir map[string]any) {
	doc, err := value.ToCBOR(ir)
	if err != nil {
		panic("guest: a schema of the node cannot be encoded: " + err.Error())
	}
	w.Tag(1, 4) // inline-cbor
	w.Bytes(doc)
	w.String("application/cbor")
	w.OptString("")
}
