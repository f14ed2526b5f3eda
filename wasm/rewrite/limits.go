package rewrite

// Limits bounds what Parse accepts. A zero field takes the default named beside it.
type Limits struct {
	Size      int // bytes of the module; 64 MiB
	Types     int // 100,000
	Functions int // imported and defined; 200,000
	Globals   int // 100,000
	Exports   int // 100,000
	Segments  int // data and element segments each; 200,000
	Tables    int // 100
	Elements  int // of all tables together, also after growing, and of all element segments together; 1,000,000
	Body      int // bytes of one function; 8 MiB
	Locals    int // of one function, parameters included; 50,000
	Nesting   int // blocks within blocks of one function; 10,000
	Blocks    int // weight of the blocks of one function, as measured by effort; 15,000
	Effort    int // of compiling all functions, see effort; 1,200,000,000; SpiderMonkey has 560,000,000
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		v   *int
		def int
	}{
		{&l.Size, 64 << 20}, {&l.Types, 100_000}, {&l.Functions, 200_000}, {&l.Globals, 100_000}, {&l.Exports, 100_000},
		{&l.Segments, 200_000}, {&l.Tables, 100}, {&l.Elements, 1_000_000}, {&l.Body, 8 << 20}, {&l.Locals, 50_000}, {&l.Nesting, 10_000},
		{&l.Blocks, 15_000}, {&l.Effort, 1_200_000_000},
	} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	return l
}

// Weights of what makes compiling one function slow: wazero needs time in proportion to the
// square of the number of its blocks, and to blocks times locals.
const (
	loopWeight    = 8 // a loop counts as so many blocks
	targetsWeight = 4 // so many targets of a br_table count as one block
	localsWeight  = 28
)

// effort is about 50 ns of compiling.
func effort(blocks, locals int) int { return blocks*blocks + localsWeight*blocks*locals }
