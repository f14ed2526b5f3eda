package rewrite

import "github.com/tetratelabs/wazero/api"

// Facts is what an engine has to know of a rewritten module to make, bound and restore
// instances of it.
type Facts struct {
	Memory     *MemoryType // the memory it defines; nil when it defines none
	Memories   int         // defined or imported
	TableBytes uint64      // what its tables, grown as far as they can, and much else may cost the host
	Globals    []string    // names under which its mutable globals are exported
	Fixed      string      // why an instance cannot be put back into an earlier state; empty when it can
	Lasts      bool        // it may change what cannot be put back; then it sets Lasted
}

// Facts are those of the module once it is rewritten.
func (m *Module) Facts() Facts {
	f := Facts{Memory: m.memory, Memories: m.memories, Globals: m.mutableGlobals(), Fixed: m.unrestorable(), Lasts: m.effects.lasts}
	for _, t := range m.tables {
		f.TableBytes += 8 * uint64(t.min)
		if m.effects.grows {
			f.TableBytes += 8 * uint64(t.max-t.min)
		}
	}
	f.TableBytes += uint64(max(0, m.parts()-freeParts))
	return f
}

// freeParts is how many bytes of the host an instance may cost before they count.
const freeParts = 64 << 10

// parts is what an instance costs the engine besides its memory and its tables, in bytes, as
// measured: some hundred thousand globals would be ten megabytes of the host for each instance.
func (m *Module) parts() int {
	segments := m.segments
	if merged, ok := (&rewriter{m: m}).merge(); ok {
		segments = merged
	}
	return 96*m.globals + 32*len(segments) + 64*m.passive + 32*len(m.Imports)
}

// unrestorable says what a module may change that cannot be put back; empty when all can.
func (m *Module) unrestorable() string {
	for _, g := range m.defined {
		switch g.valueType {
		case api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeF32, api.ValueTypeF64:
		default:
			if g.mutable {
				return "it has a mutable global that is a reference or a vector"
			}
		}
	}
	return ""
}
