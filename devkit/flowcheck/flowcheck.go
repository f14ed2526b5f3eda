package flowcheck

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/lint"
)

// Checker checks flows. It builds each pack once, also when the flows of several are checked in
// turn; what it has built stays until the Checker is dropped. The zero value is ready. It is not
// safe for concurrent use.
type Checker struct {
	// Structure leaves out components, templates and payloads, for flows whose pack is not at hand.
	Structure bool

	packs map[string]*builtFolder
}

// Check lists what is wrong with the source of a flow; name is its file. The flow is nil when it does
// not compile. When ctx ends, what it found says nothing.
func (k *Checker) Check(ctx context.Context, name string, src []byte) (*flow.Flow, flow.Diagnostics) {
	f, places, found := flow.Analyse(name, src)
	broken := len(found.Errors()) > 0
	if k.Structure {
		found = structural(found)
	}
	if f == nil {
		return nil, found
	}
	subject := lint.Subject{Flow: f, Places: places}
	if !k.Structure && !broken {
		p, more := k.around(ctx, name, src, f, places)
		found = append(found, more...)
		if p != nil {
			subject.Pack = p.lintable(f)
		}
	}
	linted := lint.Check(subject)
	if k.Structure {
		linted = structural(linted)
	}
	if found = append(found, linted...); broken {
		return nil, found
	}
	return f, found
}

// structural are the findings about the structure of a flow alone.
func structural(found flow.Diagnostics) flow.Diagnostics {
	var out flow.Diagnostics
	for _, d := range found {
		switch d.Class {
		case "Template", lint.TemplateName, lint.TemplateOrder, lint.Translation:
		default:
			out = append(out, d)
		}
	}
	return out
}

// around finds the pack of a flow, and what is wrong with it: only once, as building it says it. A
// flow that is not packed may name what its pack has, a flow outside a pack only what every host
// has; the pack is nil then, and when it cannot be built.
func (k *Checker) around(ctx context.Context, name string, src []byte, f *flow.Flow, places flow.Places) (*builtFolder, flow.Diagnostics) {
	dir := packFolder(name)
	if dir == "" {
		return nil, append(flow.Diagnostics{{
			Class: "Pack", Message: "there is no pack.yaml above this flow: only the builtins are known", File: name, Severity: "warning",
			Fix: "put it into the flows folder of a pack, or check with --structure-only",
		}}, unknownComponents(places, f, nil)...)
	}
	p := k.packs[dir]
	if p == nil {
		p = buildFolder(ctx, dir, func(other string, again []byte) (*flow.Flow, flow.Diagnostics) {
			if bytes.Equal(src, again) {
				return f, nil
			}
			return flow.Check(other, again)
		})
		if k.packs == nil {
			k.packs = map[string]*builtFolder{}
		}
		k.packs[dir] = p
	}
	if len(p.found) > 0 {
		if p.told {
			return nil, nil
		}
		p.told = true
		return nil, p.found
	}
	if p.files["flows/"+filepath.Base(name)] {
		return p, nil
	}
	return p, unknownComponents(places, f, p)
}

// diagnosticOf says an error of the build the way findings are said.
func diagnosticOf(err error) flow.Diagnostic {
	pos, fix, code := fault.Detail(err)
	if code == "" {
		code = "Pack"
	}
	d := flow.Diagnostic{Class: code, Message: err.Error(), File: pos.File, Line: pos.Line, Col: pos.Col, Fix: fix, Severity: "error"}
	var cause *fault.Error
	for e := err; errors.As(e, &cause); e = cause.Err {
		if cause.Msg != "" {
			d.Message = cause.Msg
		}
	}
	return d
}
