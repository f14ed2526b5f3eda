package flow_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"greentic.dev/model/flow"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// golden runs every NAME.in of the archives of a folder and compares with NAME.out behind it. Other
// files of an archive are what its cases share.
func golden(t *testing.T, folder string, run func(t *testing.T, src string, shared []string) string) {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var shared []string
		var kept []txtar.File
		want := map[string]string{}
		for _, f := range archive.Files {
			if name, ok := strings.CutSuffix(f.Name, ".out"); ok {
				want[name] = string(f.Data)
			} else if !strings.HasSuffix(f.Name, ".in") {
				shared = append(shared, string(f.Data))
			}
		}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".out") {
				continue
			}
			kept = append(kept, f)
			if name, ok := strings.CutSuffix(f.Name, ".in"); ok {
				got := strings.TrimRight(run(t, string(f.Data), shared), "\n") + "\n"
				kept = append(kept, txtar.File{Name: name + ".out", Data: []byte(got)})
				if !*update && got != want[name] {
					t.Errorf("%s, %s:\n%s\nwant\n%s", file, name, got, want[name])
				}
			}
		}
		if archive.Files = kept; *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func told(found flow.Diagnostics) string {
	var b strings.Builder
	for _, d := range found {
		fmt.Fprintf(&b, "%s %d:%d %s: %s", d.Severity, d.Line, d.Col, d.Class, d.Message)
		if d.Fix != "" {
			fmt.Fprintf(&b, " (%s)", d.Fix)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// A case of parse is a source; what comes out are its findings. One that begins with "  " is the
// nodes of a messaging flow.
func TestParseGoldens(t *testing.T) {
	golden(t, "parse", func(_ *testing.T, src string, _ []string) string {
		if strings.HasPrefix(src, "  ") {
			src = "id: a\ntype: messaging\nnodes:\n" + src
		}
		f, found := flow.Check("", []byte(src))
		if f == nil || len(found) > 0 {
			return told(found)
		}
		return fmt.Sprintf("ok: %d nodes, starts at %s", len(f.Nodes), f.Entrypoints["default"])
	})
}

// A case of compile is one node; what comes out is its form in a pack, without what is empty.
func TestCompileGoldens(t *testing.T) {
	golden(t, "compile", func(t *testing.T, src string, _ []string) string {
		f, found := flow.Check("", []byte("id: a\ntype: messaging\nnodes:\n  x:\n"+src+"  y:\n    emit.response: y\n  z:\n    emit.response: z\n"))
		if f == nil {
			return told(found)
		}
		node, _ := f.Manifest()["nodes"].([]any)[0].(map[string]any)
		delete(node, "telemetry")
		for key, v := range node {
			if m, ok := v.(map[string]any); ok && key == "output" && len(m["mapping"].(map[string]any)) == 0 {
				delete(node, key)
			}
		}
		again, err := flow.FromManifest(f.Manifest())
		if err != nil || len(again.Nodes) != 3 {
			t.Errorf("it does not come back from a pack: %v\n%s", err, src)
		}
		raw, err := json.MarshalIndent(node, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return told(found) + string(raw)
	})
}

// A case of route is what happens: "C = JSON" is what component C answers, "C ! CODE" how it fails,
// "start JSON" begins the first flow, "say TEXT" and "press ACTION" are the user. What comes out is
// what the run does, and why.
func TestRouteGoldens(t *testing.T) {
	golden(t, "route", func(t *testing.T, src string, flows []string) string {
		p := newPlayer(t, flows...)
		first := compile(t, flows[0])
		for line := range strings.Lines(src) {
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			var v any
			switch {
			case word == "start":
				_ = json.Unmarshal([]byte(rest), &v)
				p.start(first.ID, v)
			case word == "say":
				p.play(say(rest, ""))
			case word == "press":
				p.play(say("", rest))
			case word == "timeout":
				p.play(flow.Got{What: flow.GotTimeout})
			case strings.HasPrefix(rest, "! "):
				p.answer[word] = &flow.NodeFail{Code: rest[2:], Message: rest[2:] + " happened"}
			default:
				if err := json.Unmarshal([]byte(strings.TrimPrefix(rest, "= ")), &v); err != nil {
					t.Fatal(line, err)
				}
				p.answer[word] = v
			}
		}
		return strings.Join(p.why, "\n")
	})
}
