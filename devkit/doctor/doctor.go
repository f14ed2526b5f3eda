package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
	"greentic.dev/runtime/host"
	"greentic.dev/system"
	"greentic.dev/wasm"
	"greentic.dev/wasm/outline"
)

// Diagnosis is what an examination found. Errors come first, then warnings, then notes.
type Diagnosis struct {
	OK       bool      `json:"ok"`       // nothing stops it from running here
	Findings []Finding `json:"findings"` // never nil

	Size         int    `json:"size,omitempty"`          // bytes
	DescribeHash string `json:"describe_hash,omitempty"` // of its self-description, as a pack locks it; empty: it has none
}

// Severity orders findings.
type Severity string

// An Error stops a component from running, a Warning costs time or may surprise, a Note is good
// to know.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is one thing found. Code names it for programs, Message and Fix are for people.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Where    *Site    `json:"where,omitempty"` // nil: the whole component
	Fix      string   `json:"fix,omitempty"`

	Kind fault.Kind `json:"-"` // of an Error
}

// Site is where a finding is: an offset in the binary, or an import.
type Site struct {
	Offset    *int     `json:"offset,omitempty"` // bytes
	Interface string   `json:"interface,omitempty"`
	Functions []string `json:"functions,omitempty"`
}

// String is the place in parentheses, after a space; empty if the message says it anyway.
func (s *Site) String() string {
	if s == nil || s.Offset == nil {
		return ""
	}
	return fmt.Sprintf(" (component offset %#x)", *s.Offset)
}

// Examine looks at the bytes of a component as a host with this configuration would. Whatever is
// wrong with them is a finding; the error says that it could not look: fault.Canceled or
// fault.Timeout when ctx ends, or what kept the engine from starting. It keeps compiled code in
// the configured cache and nothing else. With a manifest, what it says is compared with the code; nil: there
// is none.
func Examine(ctx context.Context, config *system.Config, code []byte, manifest *component.Manifest) (Diagnosis, error) {
	x := examination{config: config, code: code, manifest: manifest}
	if x.binary() {
		if err := x.behaviour(ctx); err != nil {
			return Diagnosis{}, err
		}
	}
	rank := map[Severity]int{Error: 0, Warning: 1, Note: 2}
	slices.SortStableFunc(x.found, func(a, b Finding) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
	d := Diagnosis{Findings: append([]Finding{}, x.found...), Size: len(code), DescribeHash: x.describeHash}
	d.OK = d.Count(Error) == 0
	return d, nil
}

// Count is how many findings are of a severity.
func (d Diagnosis) Count(s Severity) int {
	n := 0
	for _, f := range d.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// examination collects what is found out about one component.
type examination struct {
	config  *system.Config
	code    []byte
	outline *outline.Outline
	host    *host.Host
	engine  *wasm.Engine
	found   []Finding

	manifest     *component.Manifest
	describeHash string
}

func (x *examination) add(s Severity, code string, where *Site, fix, format string, args ...any) {
	x.found = append(x.found, Finding{Severity: s, Code: code, Message: fmt.Sprintf(format, args...), Where: where, Fix: fix, Kind: fault.Unsupported})
}

// failed adds an error that ends the examination.
func (x *examination) failed(code, fix string, err error) {
	x.add(Error, code, offsetOf(err), fix, "%s", cause(err))
	x.found[len(x.found)-1].Kind = fault.KindOf(err)
}

const offsetPrefix = "component offset "

// offsetOf is the place in the binary that an error names.
func offsetOf(err error) *Site {
	for ; err != nil; err = errors.Unwrap(err) {
		var offset int
		if e, ok := err.(*fault.Error); ok {
			if _, scanned := fmt.Sscanf(e.Op, offsetPrefix+"0x%x", &offset); scanned == nil {
				return &Site{Offset: &offset}
			}
		}
	}
	return nil
}

// cause is the text of an error without what was being done and the offset, which stands beside
// it.
func cause(err error) string {
	for {
		e, ok := err.(*fault.Error)
		if !ok || e.Msg != "" || e.Err == nil {
			text := err.Error()
			if ok && strings.HasPrefix(e.Op, offsetPrefix) {
				text = strings.TrimPrefix(text, e.Op+": ")
			}
			return text
		}
		err = e.Err
	}
}
