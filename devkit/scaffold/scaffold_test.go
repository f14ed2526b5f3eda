package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"greentic.dev/build"
	"greentic.dev/devkit/vendored"
	"greentic.dev/greentic/fault"
)

func TestEveryPackTemplateBuildsAsItIs(t *testing.T) {
	if len(PackTemplates()) == 0 {
		t.Fatal("there are no templates")
	}
	llm, err := vendored.LLM()
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range PackTemplates() {
		dir := filepath.Join(t.TempDir(), "greeter")
		files, err := Pack(dir, template, map[string]string{"title": "Ann's café: 50%"}, llm)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(files, filepath.Join(dir, "README.md")) {
			t.Errorf("%s has no README: %v", template, files)
		}
		r, err := build.Pack(t.Context(), dir, build.Options{})
		if err != nil || r.ID != "greeter" || len(r.Findings) != 0 {
			t.Errorf("%s: %+v, %v", template, r, err)
		}
	}
}

func TestAFolderThatIsThereIsLeftAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "greeter")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Pack(dir, "chat", nil, nil); !fault.Is(err, fault.Exists) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("it now has %v, %v", entries, err)
	}
}

func TestWhatCannotBeBegunLeavesNothingBehind(t *testing.T) {
	for name, c := range map[string]struct {
		folder, template string
		answers          map[string]string
		kind             fault.Kind
		say              string
	}{
		"no template":                    {"x", "../chat", nil, fault.NotFound, "no template"},
		"a misspelt template":            {"x", "chta", nil, fault.NotFound, "no template"},
		"no identifier":                  {"bad name", "chat", nil, fault.Invalid, "identifier"},
		"no such question":               {"x", "chat", map[string]string{"titel": "X"}, fault.Invalid, "titel"},
		"an empty answer":                {"x", "chat", map[string]string{"title": ""}, fault.Invalid, "empty"},
		"an answer that is a quote":      {"x", "chat", map[string]string{"title": `a"b`}, fault.Invalid, "quote"},
		"an answer that is two":          {"x", "chat", map[string]string{"title": "a\nb: c"}, fault.Invalid, "control"},
		"an answer with a template":      {"x", "chat", map[string]string{"title": "{{secret}}"}, fault.Invalid, "bracket"},
		"an answer without an end":       {"x", "chat", map[string]string{"title": strings.Repeat("a", 201)}, fault.Invalid, "more than 200"},
		"a model at no address":          {"x", "assistant", map[string]string{"base_url": "somewhere"}, fault.Invalid, "no address"},
		"a question of another template": {"x", "chat", map[string]string{"model": "m"}, fault.Invalid, "no such question"},
		"an answer that is no option":    {"x", "chat", map[string]string{"template": "none"}, fault.NotFound, "none"},
	} {
		dir := filepath.Join(t.TempDir(), c.folder)
		if _, err := Pack(dir, c.template, c.answers, nil); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: the folder is there (%v)", name, err)
		}
	}
}

func TestPlaceholdersAreFilledInNamesAndContents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first := fstest.MapFS{"a/__NAME__.txt.tmpl": {Data: []byte("x __NAME__ __init__ y")}, "b": {Data: []byte("1")}}
	files, err := Write(dir, map[string]string{"NAME": "__OTHER__"}, first, fstest.MapFS{"b": {Data: []byte("2")}})
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for name, want := range map[string]string{"a/__OTHER__.txt": "x __OTHER__ __init__ y", "b": "2"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Write(filepath.Join(t.TempDir(), "new"), nil, first); !fault.Is(err, fault.Internal) {
		t.Errorf("a key without a value: %v", err)
	}
}

func TestAnswersDocuments(t *testing.T) {
	w, err := PackWizard("chat")
	if err != nil {
		t.Fatal(err)
	}
	whole := `{"wizard_id":"greentic.pack.new","schema_id":"greentic.pack.new","schema_version":1,"locale":"en","answers":{"title":"T"}}`
	for text, say := range map[string]string{
		whole: "", `{"answers":{}}`: "",
		`{"answers":{}} x`: "not one document", `{}`: "not one document", `{"answers":{},"extra":1}`: "extra", `[]`: "answers",
		`{"answers":{"title":1}}`: "answers", `{"wizard_id":"other","answers":{}}`: "for other", `{"schema_version":9,"answers":{}}`: "schema_version 9",
	} {
		got, err := w.Read("a.json", []byte(text))
		if say == "" && err != nil || say != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), say)) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
