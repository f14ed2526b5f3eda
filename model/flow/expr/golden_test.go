package expr_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// golden runs every NAME.in of the archives of a folder and compares with NAME.out behind it. An
// archive has the scope in scope.json and partials in partials/NAME.
func golden(t *testing.T, folder string, run func(src string, scope expr.Scope, partials map[string]string) string) {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scope, partials, want := expr.Scope{}, map[string]string{}, map[string]string{}
		for _, f := range archive.Files {
			name, isPartial := strings.CutPrefix(f.Name, "partials/")
			switch {
			case f.Name == "scope.json":
				if err := json.Unmarshal(f.Data, &scope); err != nil {
					t.Fatal(file, err)
				}
			case isPartial:
				partials[name] = strings.TrimSuffix(string(f.Data), "\n")
			case strings.HasSuffix(f.Name, ".out"):
				want[strings.TrimSuffix(f.Name, ".out")] = string(f.Data)
			}
		}
		var kept []txtar.File
		for _, f := range archive.Files {
			name, isCase := strings.CutSuffix(f.Name, ".in")
			if !isCase {
				if !strings.HasSuffix(f.Name, ".out") {
					kept = append(kept, f)
				}
				continue
			}
			got := run(strings.TrimSuffix(string(f.Data), "\n"), scope, partials) + "\n"
			kept = append(kept, f, txtar.File{Name: name + ".out", Data: []byte(got)})
			if !*update && got != want[name] {
				t.Errorf("%s, %s:\n%s\nwant\n%s", file, name, got, want[name])
			}
		}
		if archive.Files = kept; *update {
			if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// told is an error as people read it: kind, text, column, fix.
func told(err error) string {
	where := ""
	if at, fix, _ := fault.Detail(err); at.Line > 0 {
		where = fmt.Sprintf(" at %d:%d", at.Line, at.Col)
		if fix != "" {
			where += " (" + fix + ")"
		}
	}
	var e *fault.Error
	errors.As(err, &e)
	return fmt.Sprintf("%s: %v%s", e.Kind, err, where)
}

// A template is a text, or a JSON value with templates in it.
func TestTemplateGoldens(t *testing.T) {
	golden(t, "template", func(src string, scope expr.Scope, partials map[string]string) string {
		var v any = src
		if strings.HasPrefix(src, "{\"") || strings.HasPrefix(src, "[") || strings.HasPrefix(src, "\"") {
			if err := json.Unmarshal([]byte(src), &v); err != nil {
				return "not JSON: " + err.Error()
			}
		}
		m, err := expr.CompileWith(v, expr.Options{Partials: partials, Pointers: strings.Contains(src, "\"/")})
		if err != nil {
			return told(err)
		}
		out, err := m.Render(scope, true)
		if err != nil {
			return told(err)
		}
		if s, ok := out.(string); ok && v == any(src) {
			return s
		}
		raw, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	})
}

func TestConditionGoldens(t *testing.T) {
	golden(t, "condition", func(src string, scope expr.Scope, _ map[string]string) string {
		c, err := expr.CompileCondition(src)
		if err != nil {
			return told(err)
		}
		holds, err := c.Eval(scope)
		if err != nil {
			return told(err)
		}
		return fmt.Sprint(holds)
	})
}
