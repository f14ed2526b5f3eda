package core

// Limits bounds what Parse accepts. A zero field takes the default named beside it.
type Limits struct {
	Size      int // bytes of the module; 64 MiB
	Types     int // 100,000
	Functions int // imported and defined; 200,000
	Globals   int // 100,000
	Exports   int // 100,000
	Segments  int // data and element segments each; 200,000
	Tables    int // 100
	Elements  int // of all tables together, also after growing; 1,000,000
	Body      int // bytes of one function; 8 MiB
	Locals    int // of one function, parameters included; 50,000
	Nesting   int // blocks within blocks of one function; 10,000
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		v   *int
		def int
	}{
		{&l.Size, 64 << 20}, {&l.Types, 100_000}, {&l.Functions, 200_000}, {&l.Globals, 100_000}, {&l.Exports, 100_000},
		{&l.Segments, 200_000}, {&l.Tables, 100}, {&l.Elements, 1_000_000}, {&l.Body, 8 << 20}, {&l.Locals, 50_000}, {&l.Nesting, 10_000},
	} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	return l
}
