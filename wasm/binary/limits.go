package binary

// Limits bounds what Decode accepts. A zero field takes the default named beside it.
type Limits struct {
	Size        int // bytes of the whole component; 64 MiB
	Depth       int // nesting of components and types; 32
	Definitions int // definitions, fields, names and list elements together; 250,000
	Name        int // bytes of one name; 100,000
	TypeSize    int // nodes of one resolved value type, shared parts counted each time; 100,000, which keeps every value far below the 2^28 bytes of the specification
	TypeDepth   int // nesting of one resolved value type; 100
}

// WithDefaults returns l with every zero field replaced by its default.
func (l Limits) WithDefaults() Limits {
	or := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	or(&l.Size, 64<<20)
	or(&l.Depth, 32)
	or(&l.Definitions, 250_000)
	or(&l.Name, 100_000)
	or(&l.TypeSize, 100_000)
	or(&l.TypeDepth, 100)
	return l
}

// limits is Limits plus what is already used.
type limits struct {
	Limits
	used  int
	depth int
}

func (l *limits) spend(n int) bool {
	l.used += n
	return l.used <= l.Definitions
}

// nest runs f one level deeper, or fails the reader.
func (r *reader) nest(f func()) {
	if r.err != nil {
		return
	}
	if r.lim.depth++; r.lim.depth > r.lim.Depth {
		r.fail(exhausted, "nesting deeper than %d", r.lim.Depth)
	} else {
		f()
	}
	r.lim.depth--
}
