package source

import "greentic.dev/greentic/fault"

// Diagnostic is one finding about the source of a flow (formats digest 1.6).
type Diagnostic struct {
	Class    string `json:"class"` // Yaml, Schema, UnknownFlowType, InvalidIdentifier, NodeComponentShape, BadComponentKey, Routing, MissingNode, McpConfig, Template, Policy
	Message  string `json:"message"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"` // 1-based; 0 unknown
	Col      int    `json:"col,omitempty"`  // 1-based, in characters; 0 unknown
	Pointer  string `json:"json_pointer,omitempty"`
	Fix      string `json:"fix,omitempty"`
	Severity string `json:"severity"` // error or warning

	Excerpt string `json:"-"` // its line
}

// Diagnostics are findings in the order they were found.
type Diagnostics []Diagnostic

// Errors are the findings that keep the flow from compiling.
func (d Diagnostics) Errors() Diagnostics {
	var out Diagnostics
	for _, one := range d {
		if one.Severity == Error {
			out = append(out, one)
		}
	}
	return out
}

// The severities: an error keeps a flow from compiling.
const (
	Error   = "error"
	Warning = "warning"
)

// Fault is d as a fault.Invalid with position, excerpt, fix and its class as code.
func (d Diagnostic) Fault() *fault.Error {
	return fault.New(fault.Invalid, "flow", d.Message).WithCode(d.Class).WithFix(d.Fix).
		At(fault.Position{File: d.File, Line: d.Line, Col: d.Col, Excerpt: d.Excerpt})
}
