package link

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/plan"
)

// seeds gives the components of testdata to a fuzz target, also the invalid ones.
func seeds(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.wasm")
	for _, file := range files {
		if code, err := os.ReadFile(file); err == nil {
			f.Add(code)
		}
	}
	for _, c := range invalidCases(f) {
		f.Add([]byte(c[1]))
	}
}

// FuzzPlan: no component makes the linker panic or run away.
func FuzzPlan(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, code []byte) {
		if _, err := planOf(code); err != nil && fault.Is(err, fault.Internal) {
			t.Fatalf("refused without a kind: %v", err)
		}
	})
}

// FuzzValidate: what is accepted is planned the same each time, compiles or is refused with a kind, and binds when missing imports may trap.
func FuzzValidate(f *testing.F) {
	seeds(f)
	ctx := context.Background()
	e, err := core.New(ctx, core.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Close(ctx) })
	f.Fuzz(func(t *testing.T, code []byte) {
		if len(code) > 1<<14 {
			return
		}
		p, err := planOf(code)
		if err != nil {
			return
		}
		again, err := planOf(code)
		if err != nil || shown(p) != shown(again) {
			t.Fatalf("planned otherwise the second time: %v\n%s\n%s", err, shown(p), shown(again))
		}
		program, err := Compile(ctx, e, p)
		if err != nil {
			if fault.Is(err, fault.Internal) {
				t.Fatalf("refused without a kind: %v", err)
			}
			return
		}
		b, err := program.Bind(&Hosts{TrapMissing: true})
		if err != nil {
			t.Fatalf("not bound: %v", err)
		}
		b.Close()
		if err := program.Close(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

// shown is what a plan decides.
func shown(p *Plan) string {
	var out strings.Builder
	name := func(it plan.CoreItem) string {
		if it.Core < 0 {
			return fmt.Sprint("made ", it.Made.Index)
		}
		return fmt.Sprintf("%d.%s", it.Core, it.Name)
	}
	for i, c := range p.Cores {
		fmt.Fprintf(&out, "core %d of %d imports:", i, len(c.Module.Imports))
		for _, l := range c.Links {
			fmt.Fprintf(&out, " %s", name(l))
		}
		fmt.Fprintln(&out)
	}
	for _, f := range p.Made {
		fmt.Fprintf(&out, "made %d in %d: %d %x %x\n", f.Op, f.Instance, f.Options, f.Params, f.Results)
	}
	for _, o := range p.Options {
		fmt.Fprintf(&out, "options in %d: %d %d\n", o.Instance, o.Encoding, o.Realloc)
	}
	for _, e := range p.Entries {
		fmt.Fprintf(&out, "entry %s\n", name(e))
	}
	for _, n := range p.Needs {
		fmt.Fprintf(&out, "needs %q %q of %d\n", n.Iface, n.Name, len(n.Type.Params))
	}
	for _, x := range slices.Concat(p.Imports(), p.Exports()) {
		fmt.Fprintf(&out, "extern %q: %q %q, %d types\n", x.Name, x.Order, x.Resources, len(x.Types))
	}
	fmt.Fprintf(&out, "parents %v, %d unused\n", p.Parents, len(p.Unused))
	return out.String()
}
