package wit_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the code does into testdata")

// archive is a txtar file: a comment, then files between lines "-- name --".
type archive struct {
	comment string
	names   []string
	files   map[string]string
}

func readArchive(t testing.TB, name string) archive {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a := archive{files: map[string]string{}}
	for line := range strings.Lines(string(data)) {
		if file, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(file, " --") {
			a.names = append(a.names, strings.TrimSuffix(file, " --"))
			continue
		}
		if len(a.names) == 0 {
			a.comment += line
		} else {
			a.files[a.names[len(a.names)-1]] += line
		}
	}
	return a
}

func (a archive) String() string {
	out := a.comment
	for _, n := range a.names {
		out += "-- " + n + " --\n" + a.files[n]
	}
	return out
}

// golden runs f on the files of every archive in testdata/dir and compares with its last file,
// "want".
func golden(t *testing.T, dir string, f func(t *testing.T, files map[string]string) string) {
	paths, err := filepath.Glob("testdata/" + dir + "/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a := readArchive(t, path)
			want := a.files["want"]
			delete(a.files, "want")
			got := f(t, a.files)
			if *update {
				a.files["want"] = got
				if err := os.WriteFile(path, []byte(a.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
