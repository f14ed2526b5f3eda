package vendored

import (
	"archive/zip"
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"greentic.dev/model/component"
)

var update = flag.Bool("update", false, "make the archives again")

// sdkFiles is what belongs into a project's vendor folder of the Go SDK, by path.
func sdkFiles(t *testing.T) map[string][]byte {
	t.Helper()
	sdk := os.DirFS("../../sdk/go")
	files := map[string][]byte{}
	packages := map[string]bool{}
	err := fs.WalkDir(sdk, ".", func(name string, e fs.DirEntry, err error) error {
		ext := path.Ext(name)
		if err != nil || e.IsDir() || strings.HasSuffix(name, "_test.go") || ext != ".go" && ext != ".s" && path.Base(name) != "LICENSE" || name == "doc.go" {
			return err
		}
		b, err := fs.ReadFile(sdk, name)
		files["vendor/"+GoModule+"/"+name] = b
		if ext == ".go" {
			packages[GoModule+"/"+path.Dir(name)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	list := "# " + GoModule + " " + GoVersion + "\n## explicit; go 1.26.0\n"
	names := []string{}
	for p := range packages {
		names = append(names, p)
	}
	slices.Sort(names)
	files["vendor/modules.txt"] = []byte(list + strings.Join(names, "\n") + "\n")
	return files
}

// What a pack gets is the component of the library, as its manifest describes it.
func TestTheArchiveIsTheComponentOfLanguageModels(t *testing.T) {
	const folder = "components/greentic.llm/"
	files := map[string][]byte{}
	for _, name := range []string{"component.wasm", "component.manifest.json"} {
		b, err := os.ReadFile("../../components/llm/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[folder+name] = b
	}
	if *update {
		if err := os.WriteFile("llm.zip", archive(t, files), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := LLM()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := fs.ReadFile(have, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the library has: run make vendored; %v", name, err)
		}
	}
	code, err := fs.ReadFile(have, folder+"component.wasm")
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(have, folder+"component.manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := component.Parse("component.manifest.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckWasm(code); err != nil || m.ID != "greentic.llm" {
		t.Errorf("%s: %v", m.ID, err)
	}
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	names := []string{}
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a project gets is the SDK of this repository: `make gen` after a change of sdk/go.
func TestTheArchiveIsTheSDK(t *testing.T) {
	want := sdkFiles(t)
	if *update {
		if err := os.WriteFile("go.zip", archive(t, want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := Go()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = fs.WalkDir(have, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		b, err := fs.ReadFile(have, name)
		if !bytes.Equal(b, want[name]) {
			t.Errorf("%s is not that of sdk/go: run make gen", name)
		}
		return err
	})
	if err != nil || n != len(want) {
		t.Errorf("%d files, want %d (run make gen), %v", n, len(want), err)
	}
}
