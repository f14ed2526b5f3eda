package outline_test

import (
	"bytes"
	"cmp"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
	"greentic.dev/wasm/wit"
)

var seeds = flag.Int("seeds", 20, "how many random packages are compared")

// oracle is wasm-tools, which prints WIT too.
func oracle(t *testing.T) func(file string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("wasm-tools")
	if err != nil {
		t.Skip("wasm-tools is not on the PATH")
	}
	return func(file string) (string, error) {
		cmd := exec.Command(tool, "component", "wit", "--all-features", file)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			return errs.String(), err
		}
		return string(out), nil
	}
}

// describe is what we print for a component file.
func describe(t *testing.T, file string) (string, error) {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := binary.Decode(code, binary.Limits{})
	if err != nil {
		return "", err
	}
	set, err := outline.Describe(c, binary.Limits{})
	if err != nil {
		return "", err
	}
	return wit.Format(set), nil
}

// normal is text with everything in order of name whose order means nothing.
func normal(t *testing.T, text string) string {
	t.Helper()
	set, err := wit.Parse(map[string]string{"text.wit": text})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	slices.SortStableFunc(set.Packages, func(a, b *wit.Package) int { return cmp.Compare(a.String(), b.String()) })
	for _, p := range set.Packages {
		slices.SortFunc(p.Interfaces, func(a, b *wit.Interface) int { return cmp.Compare(a.Name, b.Name) })
		slices.SortFunc(p.Worlds, func(a, b *wit.World) int { return cmp.Compare(a.Name, b.Name) })
		for _, i := range p.Interfaces {
			sortInterface(i)
		}
		for _, w := range p.Worlds {
			for _, externs := range [][]*wit.Extern{w.Imports, w.Exports} {
				slices.SortFunc(externs, func(a, b *wit.Extern) int { return cmp.Compare(a.Name, b.Name) })
				for _, x := range externs {
					if x.Interface != nil && x.Interface.Package == nil {
						sortInterface(x.Interface)
					}
				}
			}
			slices.SortFunc(w.Types, func(a, b *wit.TypeDef) int { return cmp.Compare(a.Name, b.Name) })
		}
	}
	return wit.Format(set)
}

func sortInterface(i *wit.Interface) {
	slices.SortFunc(i.Types, func(a, b *wit.TypeDef) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(i.Funcs, func(a, b *wit.Func) int { return cmp.Compare(a.Name, b.Name) })
}

// squeezed is text without empty lines.
func squeezed(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			out.WriteString(line)
		}
	}
	return out.String()
}

// accepted makes sure that an independent tool reads what we print.
func accepted(t *testing.T, tool func(string) (string, error), text string) {
	t.Helper()
	if out, err := tool(written(t, text)); err != nil {
		t.Errorf("wasm-tools does not accept what we print: %s\n%s", out, text)
	}
}

// written is a file that holds text.
func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "printed.wit")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// tally counts what comparing gave.
type tally struct{ all, same, letters, unsupported int }

func (n *tally) report(t *testing.T) {
	t.Logf("%d components: %d say the same, %d of them letter for letter but for empty lines; %d are unsupported by name",
		n.all, n.same, n.letters, n.unsupported)
}

// compare makes sure that we print for a component what wasm-tools prints, as far as it prints
// text that it reads itself.
func (n *tally) compare(t *testing.T, tool func(string) (string, error), file string) {
	t.Helper()
	n.all++
	theirs, theirErr := tool(file)
	ours, err := describe(t, file)
	if err != nil {
		if theirErr == nil && !fault.Is(err, fault.Unsupported) {
			t.Fatal(err)
		}
		n.unsupported++
		return
	}
	rereads(t, ours)
	accepted(t, tool, ours)
	if theirErr == nil {
		_, theirErr = tool(written(t, theirs))
	}
	if theirErr != nil {
		t.Log("wasm-tools prints nothing, or text it does not read itself: there is nothing to compare with")
		return
	}
	if normal(t, ours) != normal(t, theirs) {
		t.Errorf("we print\n%s\nwasm-tools prints\n%s", ours, theirs)
		return
	}
	if n.same++; squeezed(ours) == squeezed(theirs) {
		n.letters++
	}
}

// TestComponentsPrintAsWasmToolsPrintsThem compares what both print for the components of the
// repository and for public ones: what it says must be the same.
func TestComponentsPrintAsWasmToolsPrintsThem(t *testing.T) {
	tool := oracle(t)
	files, _ := filepath.Glob("../../examples/helpdesk/pack/components/*/*.wasm")
	own, _ := filepath.Glob("testdata/*.wasm")
	files = append(files, own...)
	if dir := os.Getenv("GREENTIC_INPUT"); dir != "" {
		public, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
		files = append(files, public...)
	} else {
		t.Log("GREENTIC_INPUT is not set: no public components")
	}
	var n tally
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { n.compare(t, tool, file) })
	}
	n.report(t)
}

// TestRandomPackagesPrintAsWasmToolsPrintsThem does the same for packages that wasm-tools makes
// from random bytes, and for components that it makes for their worlds.
func TestRandomPackagesPrintAsWasmToolsPrintsThem(t *testing.T) {
	tool := oracle(t)
	run := func(input []byte, args ...string) bool {
		cmd := exec.Command("wasm-tools", args...)
		cmd.Stdin = bytes.NewReader(input)
		return cmd.Run() == nil
	}
	dir := t.TempDir()
	pkg, module, component := filepath.Join(dir, "package.wasm"), filepath.Join(dir, "module.wasm"), filepath.Join(dir, "component.wasm")
	var packages, components tally
	for seed := range *seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 0))
		input := make([]byte, 100+random.IntN(3000))
		for i := range input {
			input[i] = byte(random.Uint32())
		}
		if !run(input, "wit-smith", "-o", pkg) {
			continue
		}
		packages.compare(t, tool, pkg)
		text, _ := tool(pkg)
		for line := range strings.Lines(text) {
			name, isWorld := strings.CutPrefix(line, "world ")
			name, _, _ = strings.Cut(strings.TrimPrefix(name, "%"), " ")
			if isWorld && run(nil, "component", "embed", "--dummy", "--world", name, pkg, "-o", module) && run(nil, "component", "new", module, "-o", component) {
				components.compare(t, tool, component)
				break
			}
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
	if packages.same == 0 || components.same == 0 {
		t.Error("nothing was compared")
	}
	packages.report(t)
	components.report(t)
}
