package flowtest_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/flowtest"
)

func TestAPartOfAValueMatches(t *testing.T) {
	for _, c := range []struct{ want, got, where string }{
		{`{}`, `{"a":1}`, "yes"},
		{`{"a":1}`, `{"a":1.0,"b":2}`, "yes"},
		{`{"a":{"b":[1,{"c":true}]}}`, `{"a":{"b":[1,{"c":true,"d":0}]}}`, "yes"},
		{`null`, `null`, "yes"},
		{`{"a":1}`, `{"a":2}`, "/a"},
		{`{"a":null}`, `{}`, "/a"},
		{`[1]`, `[1,2]`, ""},
		{`{"a":[1,2]}`, `{"a":[1,3]}`, "/a/1"},
		{`{"a":"1"}`, `{"a":1}`, "/a"},
		{`{}`, `[]`, ""},
		{`[]`, `{}`, ""},
	} {
		var want, got any
		if json.Unmarshal([]byte(c.want), &want) != nil || json.Unmarshal([]byte(c.got), &got) != nil {
			t.Fatal(c)
		}
		where, ok := flowtest.Matches(want, got)
		if ok != (c.where == "yes") || !ok && where != c.where {
			t.Errorf("%s in %s: %v at %q", c.want, c.got, ok, where)
		}
	}
}

const updated = `# About.
cases:
  - case: one
    steps:
      # the first
      - say: hi # as everybody does
        replies:
          - text: old
        route: [a]

      - say: there
  - case: two
    steps:
      - status: done
        say: hi
      - { say: short }
`

func TestWhatCameReplacesWhatWasExpected(t *testing.T) {
	s, wrong := flowtest.Read("a", []byte(updated))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	got := [][]flowtest.Outcome{
		{{Replies: []flowtest.GotReply{{Text: "new \"one\""}}, Route: []string{"a", "b"}, Status: "waiting"}, {Status: "done"}},
		{{Status: "waiting"}},
	}
	out, err := s.Update(s.Cases, got)
	if err != nil {
		t.Fatal(err)
	}
	want := `# About.
cases:
  - case: one
    steps:
      # the first
      - say: hi # as everybody does
        replies: [{"text":"new \"one\""}]
        route: ["a","b"]

      - say: there
        replies: []
        route: []
        status: done
  - case: two
    steps:
      - status: waiting
        say: hi
      - { say: short }
`
	if string(out) != want {
		t.Errorf("%s", out)
	}
	again, wrong := flowtest.Read("a", out)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	for i, c := range again.Cases {
		for j := range got[i] {
			if m := again.Check(c.Steps[j], got[i][j]); len(m) > 0 {
				t.Errorf("%+v", m)
			}
		}
	}
	got[1] = append(got[1], flowtest.Outcome{Status: "done"})
	if _, err := s.Update(s.Cases, got); !fault.Is(err, fault.Invalid) {
		t.Errorf("a step on one line: %v", err)
	}
}

func TestAReportForOtherToolsIsWellFormed(t *testing.T) {
	raw, err := flowtest.JUnit([]flowtest.Result{
		{File: "a", Flow: "f", Case: "one <&>", Took: time.Millisecond},
		{File: "a", Flow: "f", Case: "two", Took: time.Second, Failures: []flowtest.Mismatch{{Message: "it differs", Diff: "-a\n+b\n"}}},
		{File: "b", Flow: "g", Case: "three"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int     `xml:"tests,attr"`
		Failures int     `xml:"failures,attr"`
		Time     float64 `xml:"time,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 3 || got.Failures != 1 || got.Time != 1.001 || len(got.Suites) != 2 || got.Suites[0].Cases[0].Name != "one <&>" {
		t.Errorf("%+v", got)
	}
	if f := got.Suites[0].Cases[1].Failure; f == nil || f.Message != "it differs" || !strings.Contains(f.Text, "-a\n+b") {
		t.Errorf("%+v", f)
	}
}
