package wasm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// Pieces of component binaries (Binary.md of the Component Model).

const preamble = "\x00asm\x0d\x00\x01\x00"

func uleb(n int) string {
	out := []byte{}
	for v := uint64(n); ; v >>= 7 {
		if v < 0x80 {
			return string(append(out, byte(v)))
		}
		out = append(out, byte(v)|0x80)
	}
}

// index is a type index where a type may stand (s33).
func index(n int) string {
	out := []byte{}
	for ; n >= 64; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return string(append(out, byte(n)))
}

func sized(s string) string { return uleb(len(s)) + s }

// part is a section.
func part(id byte, body ...string) string { return string(id) + sized(strings.Join(body, "")) }

// vector is a count and its items.
func vector(items ...string) string { return uleb(len(items)) + strings.Join(items, "") }

// component is a binary of these sections.
func component(sections ...string) []byte { return []byte(preamble + strings.Join(sections, "")) }

// module is a component of one core module of these sections, which is instantiated.
func module(sections ...string) []byte {
	return component(part(1, "\x00asm\x01\x00\x00\x00", strings.Join(sections, "")), part(2, vector("\x00\x00\x00")))
}

// function is the sections of a core module with one function of no type and this body.
func function(body string) []string {
	return []string{part(1, vector("\x60\x00\x00")), part(3, vector("\x00")), part(10, vector(sized(body)))}
}

func TestHostileDeepTypeNesting(t *testing.T) {
	const option, tuple, list = "\x6b", "\x6f\x01", "\x70"
	for name, shape := range map[string]string{"options": option, "tuples": tuple, "lists": list} {
		t.Run(name, func(t *testing.T) {
			defs := []string{"\x7d"} // u8
			for n := range 10_000 {
				defs = append(defs, shape+index(n))
			}
			refuse(t, component(part(7, vector(defs...))), fault.Exhausted, "")
		})
	}
	t.Run("instance types", func(t *testing.T) {
		deep := "\x42\x00"
		for range 10_000 {
			deep = "\x42\x01\x01" + deep
		}
		refuse(t, component(part(7, vector(deep))), fault.Exhausted, "nest")
	})
	t.Run("components", func(t *testing.T) {
		deep := preamble
		for range 1000 {
			deep = preamble + part(4, deep)
		}
		refuse(t, []byte(deep), fault.Exhausted, "nest")
	})
}

// Each type is a pair of the one before: sixty of them are 2^60 values.
func TestHostileTypesThatDouble(t *testing.T) {
	defs := []string{"\x7d"}
	for n := range 60 {
		defs = append(defs, "\x6f\x02"+index(n)+index(n))
	}
	refuse(t, component(part(7, vector(defs...))), fault.Exhausted, "")
}

func TestHostileCyclicTypeIndices(t *testing.T) {
	for name, defs := range map[string][]string{
		"itself":           {"\x70\x00"},
		"one another":      {"\x70\x01", "\x70\x00"},
		"a record":         {"\x72\x01" + sized("next") + "\x00"},
		"through a func":   {"\x40" + vector(sized("f")+"\x00") + "\x00\x7f"},
		"a resource of it": {"\x69\x00"},
		"far ahead":        {"\x70" + index(1<<31)},
		"an instance type": {"\x42\x01\x04\x00" + sized("t") + "\x05\x00"},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, component(part(7, vector(defs...))), fault.Invalid, "") })
	}
}

func TestHostileHugeSectionCounts(t *testing.T) {
	const huge = "\xff\xff\xff\xff\x0f"
	for id := byte(2); id < 12; id++ {
		if id == 4 || id == 9 {
			continue // a component, and the start section
		}
		refuse(t, component(part(id, huge)), fault.Invalid, "claimed")
		refuse(t, component(part(id, huge, strings.Repeat("\x00", 1000))), fault.Invalid, "claimed")
	}
	refuse(t, component("\x01"+huge), fault.Invalid, "length")
	refuse(t, component(part(7, vector("\x72"+huge))), fault.Invalid, "claimed")
	refuse(t, component(part(7, vector("\x6e"+huge))), fault.Invalid, "claimed")
	for id := byte(1); id < 12; id++ {
		if id == 8 {
			continue // the start section
		}
		c, err := compiles(t, module(part(id, huge)))
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Exhausted) && !fault.Is(err, fault.Unsupported) {
			t.Errorf("core section %d: %v, %v", id, c, err)
		}
	}
}

// A component of many small definitions is refused at the limit, not when memory ends.
func TestHostileManyDefinitions(t *testing.T) {
	refuse(t, component(part(7, uleb(1_000_001), strings.Repeat("\x7d", 1_000_001))), fault.Exhausted, "definitions")
	if testing.Short() {
		return // the rest is as large
	}
	empty := part(4, preamble)
	refuse(t, component(strings.Repeat(empty, 1_000_001)), fault.Exhausted, "250000")
	_, err := compiles(t, component(strings.Repeat(part(0, sized("x")), 300_000)))
	if err != nil {
		t.Error(err)
	}
}

// However a component is cut, it is refused and nothing worse.
func TestHostileTruncatedSections(t *testing.T) {
	e, step := engine(t), 1
	if testing.Short() {
		step = 13
	}
	for _, name := range []string{"code", "values", "handles", "wasi"} {
		code := hostile(t, name)
		for n := 0; n < len(code); n += step {
			c, err := e.Compile(t.Context(), code[:n:n])
			if err == nil { // a shorter component that ends between two sections
				_ = c.Exports()
			} else if k := fault.KindOf(err); k != fault.Invalid && k != fault.Unsupported && k != fault.Exhausted {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

// A bit flipped anywhere gives another component or none; it is never the host's failure.
func TestHostileFlippedBits(t *testing.T) {
	e := engine(t)
	step := 5 // prime to the bits of a byte
	if testing.Short() {
		step = 101
	}
	for _, name := range []string{"handles", "memory"} {
		code := hostile(t, name)
		for n := 0; n < len(code)*8; n += step {
			flipped := append([]byte(nil), code...)
			flipped[n/8] ^= 1 << (n % 8)
			if _, err := e.Compile(t.Context(), flipped); err != nil {
				if k := fault.KindOf(err); k != fault.Invalid && k != fault.Unsupported && k != fault.Exhausted {
					t.Errorf("%s bit %d: %v", name, n, err)
				}
			}
		}
	}
}

func TestHostileDuplicatedSections(t *testing.T) {
	for _, name := range []string{"code", "handles"} {
		code := string(hostile(t, name))
		refuse(t, []byte(code+code[8:]), fault.Invalid, "")
	}
	refuse(t, module(part(1, vector()), part(1, vector())), fault.Invalid, "twice")
	refuse(t, module(part(3, vector()), part(1, vector())), fault.Invalid, "too late")
	refuse(t, []byte(preamble+preamble), fault.Invalid, "")
}

func TestHostileNameOfAMegabyte(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	refuse(t, component(part(7, vector("\x40\x00\x01\x00")), part(10, vector("\x00"+sized(long)+"\x01\x00"))), fault.Exhausted, "name of 1048576 bytes")
	refuse(t, component(part(7, vector("\x72\x01"+sized(long)+"\x7d"))), fault.Exhausted, "name")
	refuse(t, component(part(0, sized(long))), fault.Exhausted, "name")
	// in a core module, where it is only an import nobody supplies
	refuse(t, module(part(1, vector("\x60\x00\x00")), part(2, vector(sized(long)+sized(long)+"\x00\x00"))), fault.Invalid, "")
	// a million names of one byte
	_, err := compiles(t, module(part(1, vector("\x60\x00\x00")), part(2, uleb(200_000), strings.Repeat("\x01a\x01b\x00\x00", 200_000))))
	if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Exhausted) {
		t.Errorf("%v", err)
	}
}

// A backtrace of a guest that calls itself forty times does not repeat its megabyte of a name.
func TestHostileFunctionNamesInBacktraces(t *testing.T) {
	down, up := sized("\x00\x20\x00\x45\x04\x40\x00\x0b\x20\x00\x41\x01\x6b\x10\x00\x0b"), sized("\x00\x41\x28\x10\x00\x0b")
	names := part(0, sized("name"), "\x01", sized(vector("\x00"+sized(strings.Repeat("näme", 200_000)))))
	code := lifted(part(1, vector("\x60\x01\x7f\x00", "\x60\x00\x00")), part(3, vector("\x00", "\x01")), part(7, vector(sized("f")+"\x00\x01")), part(10, vector(down, up)), names)
	survive(t, attack{bytes: code, fn: "f", unborn: true, kind: fault.Invalid, code: trapped, says: "unreachable in näme", limits: wasm.Limits{Memory: 1 << 20}})
	_, err := call(bind(t, (&attack{bytes: code}).compile(t, engine(t)), nil), "", "f")
	var trap *wasm.Trap
	if !errors.As(err, &trap) || len(trap.Backtrace) < 30 || len(strings.Join(trap.Backtrace, "")) > 30*600 {
		t.Errorf("%d frames: %.200v", len(trap.Backtrace), err)
	}
}

func TestHostileNamesThatAreNoText(t *testing.T) {
	for _, name := range []string{"\xff", "a\xc0\x80", "\xed\xa0\x80"} {
		refuse(t, component(part(7, vector("\x40\x00\x01\x00")), part(10, vector("\x00"+sized(name)+"\x01\x00"))), fault.Invalid, "UTF-8")
	}
}

func TestHostileTenThousandMemories(t *testing.T) {
	refuse(t, module(part(5, uleb(10_000), strings.Repeat("\x00\x01", 10_000))), fault.Unsupported, "multi-memory")
	one := part(1, "\x00asm\x01\x00\x00\x00", part(5, vector("\x00\x01")))
	refuse(t, component(one, part(2, uleb(10_000), strings.Repeat("\x00\x00\x00", 10_000))), fault.Exhausted, "core instances")
}

func TestHostileTenThousandTables(t *testing.T) {
	refuse(t, module(part(4, uleb(10_000), strings.Repeat("\x70\x00\x01", 10_000))), fault.Exhausted, "tables")
	one := part(1, "\x00asm\x01\x00\x00\x00", part(4, vector("\x70\x00\x01")))
	refuse(t, component(one, part(2, uleb(10_000), strings.Repeat("\x00\x00\x00", 10_000))), fault.Exhausted, "core instances")
	refuse(t, module(part(4, vector("\x70\x00\xff\xff\xff\xff\x0f"))), fault.Exhausted, "tables")
}

// Component n instantiates component n-1 ten times.
func TestHostileComponentsThatMultiply(t *testing.T) {
	var sections []string
	for n := range 12 {
		inner := preamble
		if n > 0 {
			inner += part(6, vector("\x04\x02\x01"+uleb(n-1))) + part(5, uleb(10), strings.Repeat("\x00\x00\x00", 10))
		}
		sections = append(sections, part(4, inner))
	}
	refuse(t, component(append(sections, part(5, vector("\x00\x0b\x00")))...), fault.Exhausted, "")
}

// The same with a core module at the bottom: 10^3 instances of it.
func TestHostileCoreInstancesThatMultiply(t *testing.T) {
	bottom := preamble + part(1, "\x00asm\x01\x00\x00\x00", part(5, vector("\x00\x01"))) + part(2, uleb(10), strings.Repeat("\x00\x00\x00", 10))
	sections := []string{part(4, bottom)}
	for n := range 3 {
		inner := preamble + part(6, vector("\x04\x02\x01"+uleb(n))) + part(5, uleb(10), strings.Repeat("\x00\x00\x00", 10))
		sections = append(sections, part(4, inner))
	}
	refuse(t, component(append(sections, part(5, vector("\x00\x03\x00")))...), fault.Exhausted, "core instances")
}

func TestHostileBranchTableOfAMillionTargets(t *testing.T) {
	body := "\x00\x41\x00\x0e" + uleb(1_000_000) + strings.Repeat("\x00", 1_000_001) + "\x0b"
	refuse(t, module(function(body)...), fault.Exhausted, "blocks")
}

func TestHostileFunctionOfManyLocals(t *testing.T) {
	refuse(t, module(function("\x01"+uleb(50_001)+"\x7e\x0b")...), fault.Exhausted, "locals")
	refuse(t, module(function("\x02\xff\xff\xff\xff\x0f\x7e\xff\xff\xff\xff\x0f\x7e\x0b")...), fault.Exhausted, "locals")
	// as many as there may be, all used
	body := []byte("\x01" + uleb(50_000) + "\x7e")
	for n := range 50_000 {
		body = append(body, "\x20"+uleb(n)+"\x21"+uleb(49_999-n)...)
	}
	if _, err := compiles(t, module(function(string(body)+"\x0b")...)); err != nil {
		t.Error(err)
	}
}

func TestHostileBlocksWithinBlocks(t *testing.T) {
	const n = 100_000
	refuse(t, module(function("\x00"+strings.Repeat("\x02\x40", n)+strings.Repeat("\x0b", n+1))...), fault.Exhausted, "")
	refuse(t, module(function("\x00"+strings.Repeat("\x03\x40\x0b", n)+"\x0b")...), fault.Exhausted, "blocks")
}

// tedious is a core module of functions of so many blocks: near their limit each takes the
// compiler seconds.
func tedious(functions, blocks int) []string {
	body := sized("\x00" + strings.Repeat("\x02\x40\x0b", blocks) + "\x0b")
	return []string{part(1, vector("\x60\x00\x00")), part(3, uleb(functions), strings.Repeat("\x00", functions)), part(10, uleb(functions), strings.Repeat(body, functions))}
}

// What each core module may be, all of them together may be.
func TestHostileModulesThatTakeLongToCompile(t *testing.T) {
	refuse(t, module(tedious(10, 14_900)...), fault.Exhausted, "too large to compile")
	one := part(1, "\x00asm\x01\x00\x00\x00", strings.Join(tedious(1, 14_900), ""))
	refuse(t, component(one, part(2, uleb(10), strings.Repeat("\x00\x00\x00", 10))), fault.Exhausted, "too much work")
	refuse(t, component(strings.Repeat(one, 10), part(2, uleb(10), "\x00\x00\x00\x00\x01\x00\x00\x02\x00\x00\x03\x00\x00\x04\x00\x00\x05\x00\x00\x06\x00\x00\x07\x00\x00\x08\x00\x00\x09\x00")), fault.Exhausted, "too much work")
	large := strings.Join(function("\x00"+strings.Repeat("\x01", 1<<20)+"\x0b"), "") // a megabyte of nothing
	refuse(t, component(part(1, "\x00asm\x01\x00\x00\x00", large), part(2, uleb(900), strings.Repeat("\x00\x00\x00", 900))), fault.Exhausted, "too much work")
}

func TestHostileCompilationEndsWithItsContext(t *testing.T) {
	e, blocks, best := engine(t), 12_000, time.Hour
	if testing.Short() {
		blocks = 5_000 // the race detector makes the compiler slower
	}
	for n := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := make(chan time.Time, 1)
		time.AfterFunc(20*time.Millisecond, func() { cancelled <- time.Now(); cancel() })
		_, err := e.Compile(ctx, append(module(tedious(1, blocks)...), part(0, sized(string(rune('a'+n))))...))
		best = min(best, time.Since(<-cancelled))
		if !fault.Is(err, fault.Canceled) {
			t.Fatalf("got %v", err)
		}
		if best < stopWithin {
			break
		}
	}
	if best >= stopWithin {
		t.Errorf("it took at least %v", best)
	}
	if v := must(t, bind(t, load(t, e, "adder"), nil), "", "add", uint32(1), uint32(2)); v != uint32(3) {
		t.Errorf("afterwards 1+2 = %v", v)
	}
}

func TestHostileHugeArity(t *testing.T) {
	refuse(t, module(part(1, vector("\x60"+uleb(100_000)+strings.Repeat("\x7e", 100_000)+"\x00"))), fault.Exhausted, "value types")
	// a component function of as many parameters
	var params strings.Builder
	const n = 50_000
	for i := range n {
		params.WriteString(sized("p"+strings.Repeat("x", 1+i/25/25/25%25)+string(rune('a'+i/25/25%25))+string(rune('a'+i/25%25))+string(rune('a'+i%25))) + "\x7d")
	}
	if _, err := compiles(t, component(part(7, vector("\x40"+uleb(n)+params.String()+"\x01\x00")), part(10, vector("\x00\x01f\x01\x00")))); err != nil {
		if k := fault.KindOf(err); k != fault.Exhausted && k != fault.Invalid {
			t.Error(err)
		}
	}
}

// A segment that ends where 4 GiB end, in memories that do not reach it.
func TestHostileDataSegmentAtTheEndOfFourGiB(t *testing.T) {
	last := func(offset string) string {
		return part(11, vector("\x00\x41"+offset+"\x0b"+sized("sixteen bytes...")))
	}
	for _, offset := range []string{"\x7f", "\x70", "\x80\x80\x04", "\xf1\xff\x03"} { // -1, -16, 65536, 65521
		survive(t, attack{bytes: running(part(5, vector("\x00\x01")), last(offset)), fn: "f", unborn: true, kind: fault.Invalid, says: "out of bounds"})
	}
	whole := part(5, vector("\x00\x80\x80\x04")) // 4 GiB to begin with
	survive(t, attack{bytes: running(whole, last("\x70")), fn: "f", unborn: true, kind: fault.Exhausted, says: "bytes to begin with"})
}

// running is a component of one core module with a memory and data, whose empty function it
// exports as f.
func running(memory, data string) []byte {
	code := function("\x00\x0b")
	return lifted(code[0], code[1], memory, part(7, vector(sized("f")+"\x00\x00")), code[2], data)
}

// lifted is a component of one core module of these sections, whose function f it exports.
func lifted(sections ...string) []byte {
	return component(part(1, "\x00asm\x01\x00\x00\x00", strings.Join(sections, "")),
		part(2, vector("\x00\x00\x00")), part(6, vector("\x00\x00\x01\x00"+sized("f"))), part(7, vector("\x40\x00\x01\x00")),
		part(8, vector("\x00\x00\x00\x00\x00")), part(11, vector("\x00"+sized("f")+"\x01\x00\x00")))
}

// What instances cost the host besides memory and tables counts as if it were memory: thirty
// instances of a small module with as many globals as there may be would be 300 MB.
func TestHostileInstancesOfManyParts(t *testing.T) {
	const n = 99_990
	fn, one := part(3, vector("\x00")), part(10, vector("\x02\x00\x0b"))
	for name, parts := range map[string][]string{
		"globals":          {part(6, uleb(n), strings.Repeat("\x7f\x01\x41\x00\x0b", n))},
		"passive elements": {part(1, vector("\x60\x00\x00")), fn, part(9, vector("\x01\x00"+uleb(n)+strings.Repeat("\x00", n))), one},
		"passive segments": {part(5, vector("\x00\x00")), part(11, uleb(n), strings.Repeat("\x01\x01a", n))},
	} {
		t.Run(name, func(t *testing.T) {
			survive(t, attack{bytes: multiplied(parts, 30), fn: "f", unborn: true, kind: fault.Exhausted, says: "the limit is"})
		})
	}
	survive(t, attack{bytes: multiplied(nil, 990), fn: "f", unborn: true, well: true})
}

// multiplied is a component of so many instances of a core module of these sections, and one of
// a module whose empty function it exports as f.
func multiplied(sections []string, times int) []byte {
	code := function("\x00\x0b")
	return component(part(1, "\x00asm\x01\x00\x00\x00", strings.Join(sections, "")),
		part(1, "\x00asm\x01\x00\x00\x00", code[0], code[1], part(7, vector(sized("f")+"\x00\x00")), code[2]),
		part(2, uleb(times+1), strings.Repeat("\x00\x00\x00", times), "\x00\x01\x00"),
		part(6, vector("\x00\x00\x01"+uleb(times)+sized("f"))), part(7, vector("\x40\x00\x01\x00")),
		part(8, vector("\x00\x00\x00\x00\x00")), part(11, vector("\x00"+sized("f")+"\x01\x00\x00")))
}

// Segments that name one function ten million times.
func TestHostileElementSegments(t *testing.T) {
	const n = 1_000_000
	for _, segment := range []string{"\x00\x41\x00\x0b" + uleb(n) + strings.Repeat("\x00", n), "\x04\x41\x00\x0b" + uleb(n) + strings.Repeat("\xd2\x00\x0b", n)} {
		for _, segments := range []int{1, 10} {
			if segments == 1 && testing.Short() {
				continue // a million functions to check
			}
			sections := function("\x00\x0b")
			_, err := compiles(t, module(sections[0], sections[1], part(4, vector("\x70\x00\x01")), part(9, uleb(segments), strings.Repeat(segment, segments)), sections[2]))
			if (err == nil) != (segments == 1) || err != nil && !fault.Is(err, fault.Exhausted) {
				t.Errorf("%d segments: %v", segments, err)
			}
		}
	}
}

func TestHostileManyFunctions(t *testing.T) {
	const n = 200_001
	refuse(t, module(part(1, vector("\x60\x00\x00")), part(3, uleb(n), strings.Repeat("\x00", n)), part(10, uleb(n), strings.Repeat("\x02\x00\x0b", n))), fault.Exhausted, "functions")
	refuse(t, module(part(1, vector("\x60\x00\x00")), part(6, uleb(n), strings.Repeat("\x7f\x01\x41\x00\x0b", n))), fault.Exhausted, "globals")
}

// Lists of values without size would cost nothing in the guest and much in the host.
func TestHostileZeroSizeElements(t *testing.T) {
	refuse(t, component(part(7, vector("\x6f\x00", "\x70\x00"))), fault.Invalid, "") // list<tuple<>>
	refuse(t, component(part(7, vector("\x6e\x00", "\x70\x00"))), fault.Invalid, "") // list<flags{}>
	refuse(t, component(part(7, vector("\x72\x00", "\x70\x00"))), fault.Invalid, "") // list<record{}>
}
