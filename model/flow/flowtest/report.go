package flowtest

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"greentic.dev/greentic/fault"
)

// Result is how one case went.
type Result struct {
	File     string
	Flow     string
	Case     string
	Took     time.Duration
	Failures []Mismatch
}

// The parts of a JUnit report that are written.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// JUnit is a report in the form of JUnit, one test suite for each file.
func JUnit(results []Result) ([]byte, error) {
	out := junitSuites{}
	var total time.Duration
	times := []time.Duration{}
	for _, r := range results {
		if len(out.Suites) == 0 || out.Suites[len(out.Suites)-1].Name != r.File {
			out.Suites, times = append(out.Suites, junitSuite{Name: r.File}), append(times, 0)
		}
		i := len(out.Suites) - 1
		s := &out.Suites[i]
		c := junitCase{Name: r.Case, Class: r.Flow, File: r.File, Time: seconds(r.Took)}
		if len(r.Failures) > 0 {
			s.Failures, out.Failures = s.Failures+1, out.Failures+1
			var text strings.Builder
			for _, f := range r.Failures {
				fmt.Fprintf(&text, "%s: %s\n%s", f.Pos, f.Message, f.Diff)
			}
			c.Failure = &junitFailure{Message: r.Failures[0].Message, Text: text.String()}
		}
		s.Tests, out.Tests = s.Tests+1, out.Tests+1
		times[i], total = times[i]+r.Took, total+r.Took
		s.Time = seconds(times[i])
		s.Cases = append(s.Cases, c)
	}
	out.Time = seconds(total)
	raw, err := xml.MarshalIndent(out, "", "  ")
	return append([]byte(xml.Header), append(raw, '\n')...), fault.Wrap("junit", err)
}
