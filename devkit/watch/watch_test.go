package watch

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
)

// write writes files into dir; a content of "-" removes.
func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if files[i+1] == "-" {
			err = os.Remove(name)
		} else {
			err = os.WriteFile(name, []byte(files[i+1]), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func opened(t *testing.T, files ...string) (string, *Folder) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files...)
	f, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, f
}

func next(t *testing.T, f *Folder) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	names, err := f.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestWhatIsSavedIsNoticed(t *testing.T) {
	dir, f := opened(t, "pack.yaml", "a", "flows/main.ygtc", "b")
	if got := f.Files(); !slices.Equal(got, []string{"flows/main.ygtc", "pack.yaml"}) {
		t.Errorf("files %v", got)
	}
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{"flows/main.ygtc", "c"}, "flows/main.ygtc"}, // as long as before, in the same moment
		{[]string{"assets/new.json", "1", "pack.yaml", "aa"}, "assets/new.json pack.yaml"},
		{[]string{"assets/new.json", "-"}, "assets/new.json"},
	} {
		write(t, dir, c.files...)
		if got := next(t, f); got != c.want {
			t.Errorf("after %v: %q", c.files, got)
		}
	}
}

// A change that is none would begin a build; the next one that counts must be the first to be told.
func TestWhatIsNoChangeIsNotTold(t *testing.T) {
	dir, f := opened(t, "a", "1", "node_modules/x/y.js", "1", "dist/x.gtpack", "1")
	write(t, dir, "a", "1", ".a.swp", "x", "a~", "x", "b.tmp", "x", ".git/HEAD", "x", "node_modules/x/y.js", "2", "dist/x.gtpack", "2", "components/x/dist/y", "1")
	if err := os.Chtimes(filepath.Join(dir, "a"), time.Now(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "link")); err != nil {
		t.Log("no symbolic links here: ", err)
	}
	write(t, dir, "z", "1")
	if got := next(t, f); got != "components/x/dist/y z" {
		t.Errorf("told %q", got)
	}
}

func TestWatchingEndsWithItsContext(t *testing.T) {
	_, f := opened(t, "a", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Next(ctx); !fault.Is(err, fault.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeWatchedIsSaid(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "1")
	if _, err := Open(t.Context(), filepath.Join(dir, "none")); !fault.Is(err, fault.NotFound) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "file")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a file: %v", err)
	}
}
