package outline_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
	"greentic.dev/wasm/wit"
)

var update = flag.Bool("update", false, "write what the code does into testdata")

// rereads makes sure that a text says the same when it is read and printed again.
func rereads(t *testing.T, text string) {
	t.Helper()
	set, err := wit.Parse(map[string]string{"printed.wit": text})
	if err != nil {
		t.Fatalf("the printed text does not parse: %v\n%s", err, text)
	}
	if again := wit.Format(set); again != text {
		t.Errorf("printed again it differs:\n%s\nfrom\n%s", again, text)
	}
}

// TestComponentsAreDescribed compares with the text beside each component. Most were built
// from the source beside them with `wasm-tools component embed --dummy --world app` and
// `wasm-tools component new`, and stripped; package.wasm is the binary form of a package,
// composed.wasm and reexported.wasm are components written by hand.
func TestComponentsAreDescribed(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.wasm")
	if len(files) < 6 {
		t.Fatalf("only %d components", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got, err := describe(t, file)
			if err != nil {
				t.Fatal(err)
			}
			rereads(t, got)
			want := strings.TrimSuffix(file, ".wasm") + ".wit"
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(want)
			if err != nil || got != string(text) {
				t.Errorf("got\n%s\nwant\n%s", got, text)
			}
		})
	}
}

// externs is a component that imports or exports what its definitions say.
func externs(defs ...binary.Def) *binary.Component { return &binary.Component{Defs: defs} }

func value(d binary.ValueDef) binary.Def { return binary.Def{Type: &binary.TypeDef{Value: &d}} }

func imports(name string, x binary.Extern) binary.Def {
	return binary.Def{Import: &binary.Import{Name: name, Type: x}}
}

func function(params ...binary.FieldRef) binary.Def {
	return binary.Def{Type: &binary.TypeDef{Func: &binary.FuncDef{Params: params}}}
}

func instance(decls ...binary.Decl) binary.Def {
	return binary.Def{Type: &binary.TypeDef{IsInstance: true, Decls: decls}}
}

var enum = binary.ValueDef{Kind: binary.Enum, Names: []string{"a"}}

func TestWhatWITCannotWriteIsRefused(t *testing.T) {
	fresh := binary.Extern{Sort: binary.SortType, Fresh: true}
	named := binary.Decl{Export: &binary.Import{Name: "t", Type: fresh}}
	for name, c := range map[string]struct {
		component *binary.Component
		says      string
	}{
		"a dependency name":     {externs(instance(), imports("unlocked-dep=<a:b>", binary.Extern{Sort: binary.SortInstance})), "unlocked-dep"},
		"a short version":       {externs(instance(), imports("a:b/c@1", binary.Extern{Sort: binary.SortInstance})), "a:b/c@1"},
		"a function with a url": {externs(function(), imports("url=<https://example.com>", binary.Extern{Sort: binary.SortFunc})), "url="},
		"an enum without a name": {externs(value(enum), function(binary.FieldRef{Name: "p", Type: &binary.Ref{}}),
			imports("f", binary.Extern{Sort: binary.SortFunc, Index: 1})), "without a name"},
		"a method of nobody": {externs(function(), imports("[method]r.f", binary.Extern{Sort: binary.SortFunc})), "[method]r.f"},
		"a type of an inline interface": {externs(instance(named), imports("inline", binary.Extern{Sort: binary.SortInstance}),
			binary.Def{Alias: &binary.Alias{Sort: binary.SortType, Name: "t"}},
			value(binary.ValueDef{Kind: binary.Own, Resource: 1}),
			function(binary.FieldRef{Name: "p", Type: &binary.Ref{Index: 2}}),
			imports("f", binary.Extern{Sort: binary.SortFunc, Index: 3})), `the type "t" of inline`},
		"an exported type": {externs(value(enum), binary.Def{Export: &binary.Export{Item: binary.Item{Name: "t", Sort: binary.SortType}}}), `export of type "t"`},
	} {
		_, err := outline.Describe(c.component, binary.Limits{})
		if fault.KindOf(err) != fault.Unsupported || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIllTypedComponentsAreNotDescribed(t *testing.T) {
	for name, c := range map[string]*binary.Component{
		"a type that is not there": externs(imports("t", binary.Extern{Sort: binary.SortType, Index: 7})),
		"a function of a record":   externs(value(enum), imports("f", binary.Extern{Sort: binary.SortFunc})),
		"an instance of an enum":   externs(value(enum), imports("a:b/c", binary.Extern{Sort: binary.SortInstance})),
		"an alias that leaves":     externs(binary.Def{Alias: &binary.Alias{Sort: binary.SortType, Target: binary.AliasOuter, Count: 3}}),
		"an export of nothing":     externs(binary.Def{Export: &binary.Export{Item: binary.Item{Name: "f", Sort: binary.SortFunc}}}),
		"a handle to an enum":      externs(value(enum), value(binary.ValueDef{Kind: binary.Own})),
		"an import not supplied": externs(
			binary.Def{Component: externs(instance(), imports("a:b/c", binary.Extern{Sort: binary.SortInstance}))},
			binary.Def{Instance: &binary.Instance{}}),
	} {
		if _, err := outline.Describe(c, binary.Limits{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Types that double at each step, and components that instantiate each other twice, are small
// to write and huge to print.
func TestWhatGrowsWithoutEndIsRefused(t *testing.T) {
	doubling := []binary.Def{value(binary.ValueDef{Kind: binary.U8})}
	for i := range uint32(60) {
		half := binary.FieldRef{Type: &binary.Ref{Index: i}}
		doubling = append(doubling, value(binary.ValueDef{Kind: binary.Tuple, Fields: []binary.FieldRef{half, half}}))
	}
	nested := externs()
	for range 30 {
		nested = externs(binary.Def{Component: nested}, binary.Def{Instance: &binary.Instance{}}, binary.Def{Instance: &binary.Instance{}})
	}
	long := binary.Extern{Sort: binary.SortType, Index: 0}
	fields := make([]binary.FieldRef, 2000)
	for i := range fields {
		fields[i] = binary.FieldRef{Name: fmt.Sprintf("f%d", i), Type: &binary.Ref{Index: 1}}
	}
	mentions := externs(value(binary.ValueDef{Kind: binary.U8}), imports(strings.Repeat("a", 90_000), long), function(fields...),
		imports("f", binary.Extern{Sort: binary.SortFunc, Index: 2}))
	for name, c := range map[string]*binary.Component{"types": externs(doubling...), "components": nested, "names": mentions} {
		if _, err := outline.Describe(c, binary.Limits{}); fault.KindOf(err) != fault.Exhausted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDescribe: whatever is described prints to text that is accepted and prints the same, and
// what is read tells its modules and producers.
func FuzzDescribe(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.wasm")
	more, _ := filepath.Glob("../../cmd/greentic/testdata/components/*.wasm")
	for _, name := range append(files, more...) {
		if code, err := os.ReadFile(name); err == nil {
			f.Add(code)
		}
	}
	lim := binary.Limits{Definitions: 10_000}
	f.Fuzz(func(t *testing.T, code []byte) {
		c, err := binary.Decode(code, lim)
		if err != nil {
			return
		}
		set, err := outline.Describe(c, lim)
		if err == nil {
			rereads(t, wit.Format(set))
		}
		o, err := outline.Read(code, lim)
		if err != nil {
			return
		}
		for _, m := range o.Modules() {
			if m.Offset <= 0 || m.Offset+m.Size > len(code) || m.Names+m.Debug > m.Size {
				t.Errorf("a module of %d bytes: %+v", len(code), m)
			}
		}
		if len(o.Producers()) > len(code) {
			t.Error("more producers than bytes")
		}
	})
}

// Names of imports may be cut to the part of the version that decides compatibility.
func TestVersionsAreWrittenWhole(t *testing.T) {
	set, err := outline.Describe(externs(instance(), binary.Def{Import: &binary.Import{
		Name: "demo:lib/types@0.2", Suffix: ".5", Type: binary.Extern{Sort: binary.SortInstance},
	}}), binary.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if text := wit.Format(set); !strings.Contains(text, "import demo:lib/types@0.2.5;") {
		t.Errorf("%s", text)
	}
}
