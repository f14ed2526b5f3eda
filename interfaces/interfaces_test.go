package interfaces

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wit"
)

func names() []string {
	return []string{Node, SchemaCore, Runtime, Run, Node05, Node04, ComponentDescriptor, ComponentSchema, ComponentQA, ComponentI18n,
		Descriptor, QA, I18n, ConfigSchema05, Control, Control05, Control04, Secrets10, Secrets11, State, HTTP10, HTTP11, Telemetry, TypesCore, Types}
}

func TestEveryNameIsDefinedInItsPackage(t *testing.T) {
	form := regexp.MustCompile(`^greentic:([a-z-]+)/([a-z0-9-]+)@([0-9.]+)$`)
	for _, name := range names() {
		m := form.FindStringSubmatch(name)
		if m == nil {
			t.Errorf("%s is no interface name", name)
			continue
		}
		text, err := FS.ReadFile(m[1] + "-" + m[3] + ".wit")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.HasPrefix(string(text), "package greentic:"+m[1]+"@"+m[3]+";\n") {
			t.Errorf("%s: the file is another package", name)
		}
		if !strings.Contains(string(text), "\ninterface "+m[2]+" {\n") {
			t.Errorf("%s: no such interface in the file", name)
		}
	}
}

func parsed(t *testing.T) map[string]*wit.Interface {
	t.Helper()
	set, err := wit.ParseFS(FS)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*wit.Interface{}
	for _, p := range set.Packages {
		for _, i := range p.Interfaces {
			all[i.FullName()] = i
		}
	}
	return all
}

func TestThePackagesParseAndResolve(t *testing.T) {
	all := parsed(t)
	for _, name := range names() {
		if all[name] == nil {
			t.Errorf("%s is not there", name)
		}
	}
	if f := all[HTTP11].Func("send"); f == nil || len(f.Params) != 3 || f.Result == nil {
		t.Errorf("send is %+v", f)
	}
}

// TestPublicComponentsHaveOurTypes compares what public components import from and export to
// the ecosystem's packages with our files: a component may leave out functions, never change one.
func TestPublicComponentsHaveOurTypes(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	all := parsed(t)
	files, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
	compared := 0
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := binary.Decode(code, binary.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := link.NewPlan(decoded, binary.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range slices.Concat(plan.Imports(), plan.Exports()) {
			ours := all[x.Name]
			if ours == nil {
				if strings.HasPrefix(x.Name, "greentic:") {
					t.Errorf("%s: %s is unknown to us", filepath.Base(file), x.Name)
				}
				continue
			}
			for name, theirs := range x.Funcs {
				compared++
				f := ours.Func(name)
				if f != nil && x.Name == ComponentQA {
					theirs = sayUpdate(theirs)
				}
				if f != nil && x.Name == Node05 {
					theirs = oneShape(theirs, f, all[State].Func("read").Params[1].Type.Elem)
				}
				if f == nil || !sameFunc(f, theirs) {
					t.Errorf("%s: %s#%s has another type", filepath.Base(file), x.Name, name)
				}
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// oneShape gives f our context if it has one of the other two that are in use under
// node@0.5.0: without i18n-id, or with the tenant-ctx of interfaces-types.
func oneShape(f, ours *binary.Func, shared *binary.Type) *binary.Func {
	if len(f.Params) == 0 || f.Params[0].Name != "ctx" {
		return f
	}
	b := ours.Params[0].Type
	a, c := withoutLocale(b), *b
	a.Fields[0].Type = withoutLocale(a.Fields[0].Type)
	c.Fields = slices.Clone(b.Fields)
	c.Fields[0].Type = shared
	if theirs := f.Params[0].Type; !sameType(theirs, a) && !sameType(theirs, &c) {
		return f
	}
	params := slices.Clone(f.Params)
	params[0].Type = b
	return &binary.Func{Params: params, Result: f.Result}
}

// sayUpdate gives f our word for the mode that some builds call upgrade (formats digest 0.2).
func sayUpdate(f *binary.Func) *binary.Func {
	params := slices.Clone(f.Params)
	mode := *params[0].Type
	mode.Names = slices.Clone(mode.Names)
	if i := slices.Index(mode.Names, "upgrade"); i >= 0 {
		mode.Names[i] = "update"
	}
	params[0].Type = &mode
	return &binary.Func{Params: params, Result: f.Result}
}

func withoutLocale(t *binary.Type) *binary.Type {
	shorter := *t
	shorter.Fields = slices.DeleteFunc(slices.Clone(t.Fields), func(f binary.Field) bool { return f.Name == "i18n-id" })
	return &shorter
}

func sameFunc(a, b *binary.Func) bool {
	return slices.EqualFunc(a.Params, b.Params, sameField) && sameType(a.Result, b.Result)
}

func sameField(a, b binary.Field) bool { return a.Name == b.Name && sameType(a.Type, b.Type) }

// sameType compares structure; names of types are for people.
func sameType(a, b *binary.Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && sameType(a.Elem, b.Elem) && sameType(a.Err, b.Err) && slices.Equal(a.Names, b.Names) &&
		slices.EqualFunc(a.Fields, b.Fields, sameField) &&
		slices.EqualFunc(a.Cases, b.Cases, func(a, b binary.Case) bool { return a.Name == b.Name && sameType(a.Type, b.Type) })
}
