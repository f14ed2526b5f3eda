package lint

import (
	"encoding/json"
	"net/url"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// The parts of a SARIF 2.1.0 log that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string    `json:"id"`
		Short         sarifText `json:"shortDescription"`
		Help          sarifText `json:"help"`
		Configuration struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		Rule      string          `json:"ruleId"`
		Index     *int            `json:"ruleIndex,omitempty"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPlace     `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPlace struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		Line    int        `json:"startLine"`
		Col     int        `json:"startColumn,omitempty"`
		Snippet *sarifText `json:"snippet,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

// SARIF is a SARIF 2.1.0 log of findings, with the rules that explain them; version is the tool's.
// File names become relative addresses.
func SARIF(found flow.Diagnostics, version string) ([]byte, error) {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "greentic", Version: version}
	index := map[string]int{}
	for i, r := range rules {
		one := sarifRule{ID: r.ID, Short: sarifText{r.Short}, Help: sarifText{r.Help}}
		one.Configuration.Level = r.Level
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, one)
		index[r.ID] = i
	}
	for _, d := range found {
		result := sarifResult{Rule: d.Class, Level: d.Severity, Message: sarifText{d.Message}}
		if d.Fix != "" {
			result.Message.Text += "\nFix: " + d.Fix
		}
		if i, ok := index[d.Class]; ok {
			result.Index = &i
		}
		if d.File != "" {
			result.Locations = []sarifLocation{locationOf(d)}
		}
		run.Results = append(run.Results, result)
	}
	raw, err := json.MarshalIndent(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, "", "  ")
	return append(raw, '\n'), fault.Wrap("sarif", err)
}

func locationOf(d flow.Diagnostic) (l sarifLocation) {
	address := url.URL{Path: strings.ReplaceAll(d.File, `\`, "/")}
	l.Physical.Artifact.URI = address.String()
	if d.Line > 0 {
		l.Physical.Region = &sarifRegion{Line: d.Line, Col: d.Col}
		if excerpt := d.Fault().Pos.Excerpt; excerpt != "" {
			l.Physical.Region.Snippet = &sarifText{excerpt}
		}
	}
	if d.Pointer != "" {
		l.Logical = []sarifLogical{{d.Pointer}}
	}
	return l
}
