package outline_test

import (
	"cmp"
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

// withoutExternalIDs is text without an attribute that speaks to other tools.
func withoutExternalIDs(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "@external-id(") {
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
	same, letters, unsupported := 0, 0, 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			theirs, theirErr := tool(file)
			ours, err := describe(t, file)
			if err != nil {
				if theirErr == nil && !fault.Is(err, fault.Unsupported) {
					t.Fatal(err)
				}
				unsupported++
				return
			}
			rereads(t, ours)
			accepted(t, tool, ours)
			theirs = withoutExternalIDs(theirs)
			if theirErr == nil {
				_, theirErr = tool(written(t, theirs))
			}
			if theirErr != nil {
				t.Log("wasm-tools prints nothing, or text it does not read itself: there is nothing to compare with")
				return
			}
			if got, want := normal(t, ours), normal(t, theirs); got != want {
				t.Errorf("we print\n%s\nwasm-tools prints\n%s", ours, theirs)
				return
			}
			if same++; squeezed(ours) != squeezed(theirs) {
				os.WriteFile("a.wit", []byte(squeezed(ours)), 0o600)
				os.WriteFile("b.wit", []byte(squeezed(theirs)), 0o600)
				out, _ := exec.Command("diff", "a.wit", "b.wit").Output()
				t.Logf("%.900s", out)
			} else {
				letters++
			}
		})
	}
	t.Logf("%d components: %d say the same, %d of them letter for letter but for empty lines; %d are unsupported by name", len(files), same, letters, unsupported)
}
