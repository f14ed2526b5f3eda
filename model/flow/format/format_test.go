package format_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/format"
)

var update = flag.Bool("update", false, "write what is formatted into the golden files")

// Each archive holds cases: CASE/flow.ygtc, and CASE/want, which is its canonical form or, after
// "error: ", why there is none.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range archive.Files {
			files[f.Name] = string(f.Data)
		}
		for i, f := range archive.Files {
			dir, base := path.Split(f.Name)
			if base != "want" {
				continue
			}
			out, err := format.Source("flow.ygtc", []byte(files[dir+"flow.ygtc"]))
			if err != nil {
				pos, _, _ := fault.Detail(err)
				out = fmt.Appendf(nil, "error: %d:%d: %v\n", pos.Line, pos.Col, err)
			}
			if *update {
				archive.Files[i].Data = out
			} else if string(out) != string(f.Data) {
				t.Errorf("%s %s becomes:\n%s", filepath.Base(name), dir, out)
			}
		}
		if *update {
			if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// kept fails unless formatting keeps the meaning of a source and does nothing the second time.
func kept(t rapid.TB, name string, src []byte) {
	t.Helper()
	f, err := flow.Compile(name, src)
	if err != nil {
		return // goldens say what happens to those
	}
	out, err := format.Source(name, src)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, src)
	}
	again, err := format.Source(name, out)
	if err != nil || string(again) != string(out) {
		t.Fatalf("%s: formatting twice gives\n%s\nafter\n%s\n%v", name, again, out, err)
	}
	g, err := flow.Compile(name, out)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	if a, b := manifest(t, f), manifest(t, g); a != b {
		t.Fatalf("%s: the flow was\n%s\nand is\n%s\n%s", name, a, b, out)
	}
	for _, word := range comments(string(src)) {
		if strings.Count(string(out), word) != strings.Count(string(src), word) {
			t.Fatalf("%s: the comment %q stands %d times:\n%s\nafter\n%s", name, word, strings.Count(string(out), word), out, src)
		}
	}
}

// manifest is the compiled flow without places.
func manifest(t rapid.TB, f *flow.Flow) string {
	t.Helper()
	doc := f.Manifest()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	raw, err = json.Marshal(unplaced(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// unplaced is a value without what says where things stand.
func unplaced(v any) any {
	switch v := v.(type) {
	case map[string]any:
		_, line := v["line"].(float64)
		for key, one := range v {
			if line && (key == "line" || key == "col" || key == "routes") {
				delete(v, key)
				continue
			}
			v[key] = unplaced(one)
		}
	case []any:
		for i, one := range v {
			v[i] = unplaced(one)
		}
	}
	return v
}

// comments are the comments of a source, as far as they begin a line.
func comments(src string) (out []string) {
	for line := range strings.Lines(src) {
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "#") {
			out = append(out, text)
		}
	}
	return out
}

// Every flow of the repository, also those in archives of tests, keeps its meaning.
func TestEveryFlowOfTheRepositoryKeepsItsMeaning(t *testing.T) {
	n := 0
	err := filepath.WalkDir("../../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
				return fs.SkipDir
			}
			return err
		}
		switch filepath.Ext(name) {
		case ".ygtc":
			src, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			n++
			kept(t, name, src)
		case ".txtar":
			archive, err := txtar.ParseFile(name)
			if err != nil {
				return err
			}
			for _, f := range archive.Files {
				if strings.HasSuffix(f.Name, ".ygtc") {
					n++
					kept(t, name+" "+f.Name, f.Data)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 100 {
		t.Errorf("only %d flows were found", n)
	}
}

// messy writes values in the many ways of YAML.
type messy struct {
	t *rapid.T
	b strings.Builder
	n int
}

func (m *messy) pick(name string, words ...string) string {
	return rapid.SampledFrom(words).Draw(m.t, name)
}

// noise writes comments and blank lines.
func (m *messy) noise(indent int) {
	for range rapid.IntRange(0, 2).Draw(m.t, "noise") {
		m.n++
		m.b.WriteString(m.pick("line", "", "", "\n", "   \n", strings.Repeat(" ", indent)+fmt.Sprintf("# note %d.\n", m.n)))
	}
}

// value writes a value behind a key or a dash whose column is given.
func (m *messy) value(col, depth int) {
	in := strings.Repeat(" ", col+rapid.IntRange(1, 4).Draw(m.t, "indent"))
	kind := rapid.IntRange(0, 8).Draw(m.t, "kind")
	if depth == 0 {
		kind %= 6
	}
	switch kind {
	case 0:
		m.b.WriteString("   word" + m.pick("tail", "", "  # why", " ") + "\n")
	case 1:
		m.b.WriteString(` "a: {{b}} # c"` + "\n")
	case 2:
		m.b.WriteString(" " + m.pick("style", "|", "|-", "|+", ">", ">-") + "\n" + in + "first\n\n" + in + "  # no comment\n" + in + "last\n" + m.pick("blank", "", "\n", "\n\n"))
	case 3:
		m.b.WriteString(" { a: 1,   b: [x, y],\n" + in + "c: \"d\" }\n")
	case 4:
		m.b.WriteString(" 'it''s\n" + in + "long\n\n" + in + "text'\n")
	case 5:
		m.b.WriteString(" plain text\n" + in + "that goes on\n")
	case 6, 7:
		m.b.WriteString(m.pick("tail", "", "  # below", "  ") + "\n")
		m.fields(len(in), depth-1)
	default:
		m.b.WriteString("\n")
		at := col + rapid.IntRange(0, 3).Draw(m.t, "dash")
		for range rapid.IntRange(1, 3).Draw(m.t, "items") {
			m.noise(at)
			m.b.WriteString(strings.Repeat(" ", at) + "-")
			if rapid.Bool().Draw(m.t, "map") {
				gap := rapid.IntRange(1, 3).Draw(m.t, "gap")
				m.b.WriteString(strings.Repeat(" ", gap) + "to: x\n")
				m.b.WriteString(strings.Repeat(" ", at+1+gap) + "condition:")
				m.value(at+1+gap, depth-1)
			} else {
				m.value(at, 0)
			}
		}
	}
}

func (m *messy) fields(col, depth int) {
	for i := range rapid.IntRange(1, 3).Draw(m.t, "fields") {
		m.noise(col)
		m.b.WriteString(strings.Repeat(" ", col) + m.pick("key", "k", `"q: r"`, "a.b") + fmt.Sprint(i))
		key := m.b.String()
		if strings.HasSuffix(key, fmt.Sprintf(`"%d`, i)) { // the number goes into the quotes
			text := m.b.String()
			m.b.Reset()
			m.b.WriteString(strings.TrimSuffix(text, fmt.Sprintf(`"%d`, i)) + fmt.Sprint(i) + `"`)
		}
		m.b.WriteString(":")
		m.value(col, depth)
	}
}

func TestWhateverItLooksLikeAFlowKeepsItsMeaning(t *testing.T) {
	formatted := 0
	rapid.Check(t, func(t *rapid.T) {
		m := &messy{t: t}
		m.noise(0)
		top := rapid.Permutation([]string{"id: t\n", "type: messaging\n", "title:  Messy  # yes\n", "PARAMETERS", "NODES"}).Draw(t, "top")
		for _, part := range top {
			switch part {
			case "PARAMETERS":
				m.b.WriteString("parameters:\n")
				m.fields(rapid.IntRange(1, 5).Draw(t, "indent"), 2)
			case "NODES":
				m.b.WriteString("nodes:\n")
				col := rapid.IntRange(1, 5).Draw(t, "indent")
				for i := range rapid.IntRange(1, 3).Draw(t, "nodes") {
					m.noise(col)
					m.b.WriteString(strings.Repeat(" ", col) + fmt.Sprintf("n%d:\n", i))
					in := col + rapid.IntRange(1, 4).Draw(t, "inner")
					for _, key := range rapid.Permutation([]string{"emit.log", "meta", "routing"}).Draw(t, "keys") {
						m.noise(in)
						m.b.WriteString(strings.Repeat(" ", in))
						switch key {
						case "emit.log":
							m.b.WriteString("emit.log:")
							m.value(in, 2)
						case "meta":
							m.b.WriteString("meta:\n")
							m.fields(in+2, 1)
						default:
							m.b.WriteString("routing:\n" + strings.Repeat(" ", in) + "- to: n0 # back\n" + strings.Repeat(" ", in) + "  condition:  'a == b'\n")
						}
					}
				}
			default:
				m.b.WriteString(part)
			}
			m.noise(0)
		}
		src := []byte(m.b.String())
		if _, err := flow.Compile("x", src); err == nil {
			formatted++
		}
		kept(t, "x", src)
	})
	if formatted < 20 {
		t.Errorf("only %d of the flows compile", formatted)
	}
}
