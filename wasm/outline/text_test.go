package outline_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/wit"
)

// sourcesOf are the WIT sources of a file, or those that public tools read of a folder: its own
// and those of its folder deps.
func sourcesOf(t *testing.T, path string) map[string]string {
	t.Helper()
	sources := map[string]string{}
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".wit") {
			return err
		}
		if dir := filepath.Dir(name); name != path && dir != path && !strings.HasPrefix(dir, filepath.Join(path, "deps")) {
			return nil
		}
		if d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(name)
		sources[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// TestPublicWITIsRead: what wasm-tools accepts is read too and says the same, or uses what this
// host refuses by name.
func TestPublicWITIsRead(t *testing.T) {
	tool := oracle(t)
	root := os.Getenv("GREENTIC_INPUT")
	if root == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	var paths []string
	_ = filepath.WalkDir(filepath.Join(root, "wit"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".wit") && !d.IsDir() {
			paths = append(paths, name)
			if dir := filepath.Dir(name); !slices.Contains(paths, dir) {
				paths = append(paths, dir)
			}
		}
		return nil
	})
	var refused, same, both, lax int
	for _, path := range paths {
		t.Run(strings.TrimPrefix(path, root), func(t *testing.T) {
			theirs, theirErr := tool(path)
			set, err := wit.Parse(sourcesOf(t, path))
			switch {
			case theirErr != nil && err != nil:
				both++
			case theirErr != nil:
				lax++
				t.Logf("wasm-tools refuses it: %.300s", theirs)
			case fault.Is(err, fault.Unsupported):
				refused++
			case err != nil:
				t.Error(err)
			default:
				ours := wit.Format(set)
				rereads(t, ours)
				// wasm-tools takes plain comments for docs too
				got, want := normal(t, undocumented(ours)), normal(t, undocumented(theirs))
				if got != want {
					t.Errorf("we print and wasm-tools prints\n%s", difference(got, want))
				}
				same++
			}
		})
	}
	t.Logf("%d files and folders: %d say the same, %d are unsupported by name, %d are refused by both, %d by wasm-tools only", len(paths), same, refused, both, lax)
}

// Our own interfaces, as they are and as they print, are WIT for others too.
func TestOurInterfacesAreAccepted(t *testing.T) {
	tool := oracle(t)
	set, err := wit.ParseFS(os.DirFS("../../interfaces"))
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, tool, wit.Format(set))
	for _, guest := range []string{"../../bench/guests/world.wit", "../../build/componentise/tool/tool.wit"} {
		sources := sourcesOf(t, "../../interfaces")
		for name, text := range sourcesOf(t, guest) {
			sources["guest/"+name] = text
		}
		set, err := wit.Parse(sources)
		if err != nil {
			t.Error(err)
			continue
		}
		accepted(t, tool, wit.Format(set))
	}
}

// difference is the lines that only one of two texts has.
func difference(a, b string) string {
	var out strings.Builder
	for _, side := range []struct{ mark, one, other string }{{"-", a, b}, {"+", b, a}} {
		count := map[string]int{}
		for line := range strings.Lines(side.other) {
			count[line]++
		}
		for line := range strings.Lines(side.one) {
			if count[line]--; count[line] < 0 {
				out.WriteString(side.mark + line)
			}
		}
	}
	return out.String()
}

// undocumented is text without its doc comments.
func undocumented(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "///") {
			out.WriteString(line)
		}
	}
	return out.String()
}
