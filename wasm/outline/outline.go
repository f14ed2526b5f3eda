package outline

import (
	"fmt"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/rewrite"
	"greentic.dev/wasm/wit"
)

// Outline is a component that was read and checked, but not compiled. It is immutable and
// refers to the bytes it was read from.
type Outline struct {
	decoded *binary.Component
	limits  binary.Limits
}

// Read decodes and checks a component without compiling it; code must not change afterwards.
// Errors are those of Compile but for the instructions of core modules, whose types are not
// checked.
func Read(code []byte, lim binary.Limits) (*Outline, error) {
	const op = "read component"
	decoded, err := binary.Decode(code, lim)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if _, err := link.NewPlan(decoded, lim); err != nil {
		return nil, fault.Wrap(op, inModule(decoded, err))
	}
	return &Outline{decoded: decoded, limits: lim}, nil
}

// inModule adds to err where the core module begins that is to blame, if one is.
func inModule(c *binary.Component, err error) error {
	walk(c, func(d *binary.Def) {
		if _, failed := rewrite.Parse(d.CoreModule.Code, rewrite.Limits{}); failed != nil && failed.Error() == err.Error() {
			err = fault.Wrap(fmt.Sprintf("component offset %#x", d.Offset), err)
		}
	})
	return err
}

// WIT is what the component imports and exports as WIT. It is Unsupported if WIT has no words
// for it.
func (o *Outline) WIT() (*wit.Set, error) { return Describe(o.decoded, o.limits) }

// Module is a core module inside a component.
type Module struct {
	Offset    int    // in the component, in bytes
	Size      int    // bytes
	Memory    uint64 // bytes of linear memory it begins with
	HasMemory bool   // it defines a memory
	Start     bool   // it has a start function
	Names     int    // bytes of its name section
	Debug     int    // bytes of debug information
	Lasting   string // why an instance cannot be put back into its first state; empty when it can
}

// Modules lists the core modules, those of nested components too, in the order of the binary.
func (o *Outline) Modules() []Module {
	var list []Module
	walk(o.decoded, func(d *binary.Def) {
		m := Module{Offset: d.Offset, Size: len(d.CoreModule.Code)}
		if parsed, err := rewrite.Parse(d.CoreModule.Code, rewrite.Limits{}); err == nil {
			facts := parsed.Facts()
			m.Lasting = facts.Fixed
			if facts.Memory != nil {
				m.HasMemory, m.Memory = true, uint64(facts.Memory.Min)<<16
			}
		}
		sections(d.CoreModule.Code, func(id byte, name string, body []byte) {
			switch {
			case id == 8:
				m.Start = true
			case id == 0 && name == "name":
				m.Names += len(body)
			case id == 0 && isDebug(name):
				m.Debug += len(body)
			}
		})
		list = append(list, m)
	})
	return list
}

// walk visits the definitions of core modules.
func walk(c *binary.Component, visit func(*binary.Def)) {
	for i := range c.Defs {
		switch d := &c.Defs[i]; {
		case d.CoreModule != nil:
			visit(d)
		case d.Component != nil:
			walk(d.Component, visit)
		}
	}
}
