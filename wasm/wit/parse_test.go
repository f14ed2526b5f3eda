package wit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// said is how an error looks to the user.
func said(err error) string {
	pos, fix, _ := fault.Detail(err)
	return fmt.Sprintf("%s: %v\n  | %s\n  fix: %s\n", fault.KindOf(err), err, strings.TrimSpace(pos.Excerpt), fix)
}

// TestPackagesReadAndPrint shows what is read as it prints, or the error. A "cases" source is
// many small ones, each between lines of dashes.
func TestPackagesReadAndPrint(t *testing.T) {
	golden(t, "parse", func(t *testing.T, sources map[string]string) string {
		cases, ok := sources["cases"]
		if !ok {
			return printed(t, sources)
		}
		var out strings.Builder
		for text := range strings.SplitSeq(cases, "----\n") {
			_, err := wit.Parse(map[string]string{"in.wit": text})
			if err == nil {
				t.Errorf("accepted:\n%s", text)
				continue
			}
			out.WriteString(said(err))
		}
		return out.String()
	})
}

// printed formats what the sources say and checks that it reads back the same.
func printed(t *testing.T, sources map[string]string) string {
	set, err := wit.Parse(sources)
	if err != nil {
		return said(err)
	}
	text := wit.Format(set)
	rereads(t, text)
	return text
}

func rereads(t *testing.T, text string) *wit.Set {
	t.Helper()
	set, err := wit.Parse(map[string]string{"printed.wit": text})
	if err != nil {
		t.Fatalf("the printed text does not parse: %s\n%s", said(err), text)
	}
	if again := wit.Format(set); again != text {
		t.Errorf("printed again it differs:\n%s\nfrom\n%s", again, text)
	}
	return set
}

func TestOurInterfacesParse(t *testing.T) {
	set, err := wit.ParseFS(os.DirFS("../../interfaces"))
	if err != nil {
		t.Fatal(said(err))
	}
	rereads(t, wit.Format(set))
	node := set.Interface("greentic:component/node@0.6.0")
	if node == nil || node.Func("invoke") == nil {
		t.Fatal("node@0.6.0 has no invoke")
	}
	// The tenant context of the node is that of types-core, by identity.
	envelope, core := node.Func("invoke").Params[1].Type, set.Interface("greentic:types-core/core@0.6.0")
	for _, d := range core.Types {
		if d.Name == "tenant-ctx" && envelope.Fields[0].Type != d.Type {
			t.Error("invocation-envelope.ctx is not the tenant-ctx of types-core")
		}
	}
}

func TestResourcesHaveOneIdentity(t *testing.T) {
	set, err := wit.Parse(map[string]string{"a.wit": `package a:b;
		interface types { resource file { constructor(name: string); read: func(n: u32) -> list<u8>; open: static func() -> file; } }
		interface user { use types.{file as document}; take: func(a: document, b: borrow<document>); }
		world w { import user; export types; }`})
	if err != nil {
		t.Fatal(said(err))
	}
	types, take := set.Interface("a:b/types"), set.Interface("a:b/user").Func("take")
	file := types.Types[0].Resource
	read := types.Func("[method]file.read")
	if p := read.Params[0]; p.Name != "self" || p.Type.Kind != binary.Borrow || p.Type.Resource != file {
		t.Errorf("self is %+v", p)
	}
	if made := types.Func("[constructor]file").Result; made.Kind != binary.Own || made.Resource != file {
		t.Errorf("the constructor makes %+v", made)
	}
	if take.Params[0].Type.Resource != file || take.Params[1].Type.Resource != file || take.Params[1].Type.Kind != binary.Borrow {
		t.Error("a renamed resource is another one")
	}
	w := set.World("a:b/w")
	if w == nil || len(w.Imports) != 2 || w.Imports[0].Interface != types || w.Imports[1].Name != "a:b/user" || w.Exports[0].Interface != types {
		t.Errorf("world %+v", w)
	}
}

func TestDeepTypesAreRefused(t *testing.T) {
	deep := "package a:b; interface i { f: func() -> " + strings.Repeat("list<", 1000) + "u8" + strings.Repeat(">", 1000) + "; }"
	chain := "package a:b; interface i { type t0 = list<u8>; "
	for i := 1; i < 1000; i++ {
		chain += fmt.Sprintf("type t%d = tuple<t%d, t%d>; ", i, i-1, i-1)
	}
	uses := "package a:b; interface i0 { resource r; }"
	for i := 1; i < 1000; i++ {
		uses = fmt.Sprintf("interface i%d { use i%d.{r}; } %s", i, i-1, strings.TrimPrefix(uses, "package a:b; "))
	}
	for name, text := range map[string]string{"expression": deep, "definitions": chain + "}", "interfaces": "package a:b; " + uses} {
		_, err := wit.Parse(map[string]string{"deep.wit": text})
		if err == nil || !strings.Contains(err.Error(), "deeper than 64") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := wit.Parse(map[string]string{"long.wit": strings.Repeat(" ", 5<<20)})
	if fault.KindOf(err) != fault.Exhausted {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: whatever is accepted prints to text that is accepted and prints the same.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../../interfaces/*.wit")
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(string(text))
		}
	}
	archives, _ := filepath.Glob("testdata/*/*.txtar")
	for _, name := range archives {
		for _, text := range readArchive(f, name).files {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := wit.Parse(map[string]string{"f.wit": text})
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Unsupported && k != fault.Exhausted {
				t.Fatalf("kind %s: %v", k, err)
			}
			return
		}
		if len(set.Packages) > 0 {
			rereads(t, wit.Format(set))
		}
	})
}

func TestItemsArePrintedOneByOne(t *testing.T) {
	set, err := wit.Parse(map[string]string{"a.wit": `package a:b;
		interface types { record point { x: s32 } }
		interface api { use types.{point}; type points = list<point>; resource file { constructor(p: point); read: func(n: u32) -> points; open: static func() -> result<file>; } %type: func(); }`})
	if err != nil {
		t.Fatal(said(err))
	}
	api := set.Interface("a:b/api")
	types, funcs := wit.Entries(api.Types, api.Funcs)
	var got []string
	for _, e := range append(types, funcs...) {
		got = append(got, e.Name+" = "+e.Text)
	}
	want := []string{
		"point = use a:b/types.{point};", "points = type points = list<point>;", "file = resource file;",
		"[constructor]file = constructor(p: point)", "[method]file.read = func(n: u32) -> points",
		"[static]file.open = static func() -> result<file>", "type = func()",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
