package flowcheck_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"greentic.dev/devkit/flowcheck"
	"greentic.dev/model/flow"
)

// publicFlows are the .ygtc files below folders of a public repository that lies in GREENTIC_INPUT.
func publicFlows(t *testing.T, repository string, folders ...string) []string {
	t.Helper()
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	if _, err := os.Stat(filepath.Join(dir, repository)); err != nil {
		t.Skip(repository + " is not in GREENTIC_INPUT")
	}
	var names []string
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(dir, repository, folder), func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(name) == ".ygtc" {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s has no flows", repository)
	}
	return names
}

func check(t *testing.T, k *flowcheck.Checker, name string) flow.Diagnostics {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, found := k.Check(t.Context(), name, src)
	for _, d := range found {
		if d.Message == "" || d.File != name {
			t.Errorf("%s: %+v", name, d)
		}
	}
	return found
}

var refusedByName = regexp.MustCompile(`invalid|fail|missing`)

// The flows of the language's own repository pass; those that are wrong on purpose are refused, for
// their structure or for components that nobody has.
func TestThePublicFlowsOfTheLanguagePass(t *testing.T) {
	passed, refused := 0, 0
	for _, name := range publicFlows(t, "greentic-flow", "docs/examples", "fixtures", "tests/data") {
		found := check(t, &flowcheck.Checker{Structure: true}, name)
		if !refusedByName.MatchString(filepath.Base(name)) {
			if passed++; len(found.Errors()) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		refused++
		if len(found.Errors()) == 0 {
			found = check(t, &flowcheck.Checker{}, name)
		}
		if len(found.Errors()) == 0 {
			t.Errorf("%s passes", name)
		}
	}
	t.Logf("%d flows pass, %d are refused", passed, refused)
	if passed == 0 || refused == 0 {
		t.Error("not both sorts of flows are there")
	}
}

func TestThePublicFlowsOfComponentsPass(t *testing.T) {
	names := publicFlows(t, "components-public", ".")
	for _, name := range names {
		if found := check(t, &flowcheck.Checker{Structure: true}, name); len(found.Errors()) > 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
	t.Logf("%d flows pass", len(names))
}

// An older dialect is refused with the node and the key that is not of this one.
func TestThePublicFlowsOfTheOlderDialectAreRefused(t *testing.T) {
	names := publicFlows(t, "greentic-messaging", "flows")
	for _, name := range names {
		errs := check(t, &flowcheck.Checker{Structure: true}, name).Errors()
		if len(errs) == 0 {
			t.Errorf("%s passes", name)
			continue
		}
		if d := errs[0]; d.Class != "NodeComponentShape" || !strings.Contains(d.Message, "node ") || !strings.Contains(d.Message, "routes") || d.Line == 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	t.Logf("%d flows are refused", len(names))
}
