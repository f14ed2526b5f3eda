package lint_test

import (
	"encoding/json"
	"os"
	"testing"

	"greentic.dev/model/flow"
	"greentic.dev/model/flow/lint"
	"greentic.dev/model/schema"
)

// The log fits what the public schema of SARIF 2.1.0 demands of the parts that are written; the
// essentials stand in testdata in words of our own.
func TestSARIFHasTheStructureOfItsSchema(t *testing.T) {
	raw, err := os.ReadFile("testdata/sarif-essentials.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	s, err := schema.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	src := "id: t\ntype: messaging\nnodes:\n  a:\n    emit.log: '{{nothing}}'\n    routing: [{ to: bb }]\n  b:\n    emit.log: 1\n"
	f, places, found := flow.Analyse("a folder/flow.ygtc", []byte(src))
	found = append(found, lint.Check(lint.Subject{Flow: f, Places: places})...)
	found = append(found, flow.Diagnostic{Class: "Unheard", Message: "of no place", Severity: "error"})
	log, err := lint.SARIF(found, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(log, &v); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Check(v) {
		t.Errorf("%s: %s", p.Pointer, p.Message)
	}
	var told struct {
		Runs []struct {
			Results []struct {
				RuleID    string
				RuleIndex *int
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
		}
	}
	if err := json.Unmarshal(log, &told); err != nil {
		t.Fatal(err)
	}
	run := told.Runs[0]
	if len(run.Results) != len(found) || len(found) != 3 {
		t.Fatalf("%d results for %d findings", len(run.Results), len(found))
	}
	for i, r := range run.Results {
		if r.RuleID != found[i].Class || r.RuleIndex != nil && run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	first := run.Results[0].Locations[0].PhysicalLocation
	if first.ArtifactLocation.URI != "a%20folder/flow.ygtc" || first.Region.StartLine != 6 || first.Region.StartColumn != 21 {
		t.Errorf("%+v", first)
	}
	if last := run.Results[2]; last.RuleIndex != nil || last.Locations != nil {
		t.Errorf("%+v", last)
	}
}
