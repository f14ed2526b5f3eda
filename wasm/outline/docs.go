package outline

import (
	"encoding/json"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/wit"
)

// docsSection is the custom section in which public tools keep the docs and gates of a package,
// which the binary format has no place for: a version byte (0 or 1), then JSON.
const docsSection = "package-docs"

type packageDocs struct {
	Docs       string                   `json:"docs"`
	Interfaces map[string]interfaceDocs `json:"interfaces"`
	Worlds     map[string]worldDocs     `json:"worlds"`
}

type interfaceDocs struct {
	Docs      string              `json:"docs"`
	Stability gateDocs            `json:"stability"`
	Types     map[string]itemDocs `json:"types"`
	Funcs     map[string]itemDocs `json:"funcs"`
}

// worldDocs has maps for imports, which also serve exports of names that are not imported, and
// maps for the other exports.
type worldDocs struct {
	interfaceDocs
	Interfaces       map[string]interfaceDocs `json:"interfaces"`
	InterfaceExports map[string]interfaceDocs `json:"interface_exports"`
	FuncExports      map[string]itemDocs      `json:"func_exports"`
	ImportGates      map[string]gateDocs      `json:"interface_import_stability"`
	ExportGates      map[string]gateDocs      `json:"interface_export_stability"`
	ImportDocs       map[string]string        `json:"interface_import_docs"`
	ExportDocs       map[string]string        `json:"interface_export_docs"`
}

type itemDocs struct {
	Docs      string            `json:"docs"`
	Stability gateDocs          `json:"stability"`
	Items     map[string]string `json:"items"` // of types: fields, cases, names
}

// UnmarshalJSON accepts the older form of functions too: only the docs.
func (d *itemDocs) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &d.Docs)
	}
	type plain itemDocs
	return json.Unmarshal(b, (*plain)(d))
}

type gateDocs struct {
	Stable *struct {
		Since      string `json:"since"`
		Deprecated string `json:"deprecated"`
	} `json:"stable"`
	Unstable *struct {
		Feature    string `json:"feature"`
		Deprecated string `json:"deprecated"`
	} `json:"unstable"`
}

// documenter adds docs and gates to the items of one package. What it does not find or cannot
// print it leaves out: docs decide nothing.
type documenter struct{ gated bool }

func document(p *wit.Package, section []byte) error {
	if len(section) == 0 || section[0] > 1 {
		return fault.Newf(fault.Unsupported, "wit", "the custom section %s has a form that is not known", docsSection)
	}
	var docs packageDocs
	if err := json.Unmarshal(section[1:], &docs); err != nil {
		return fault.As(fault.Invalid, "wit: custom section "+docsSection, err)
	}
	d := documenter{gated: p.Version != ""}
	p.Docs = wit.CleanDocs(docs.Docs)
	for _, i := range p.Interfaces {
		d.iface(i, docs.Interfaces[i.Name])
	}
	for _, w := range p.Worlds {
		d.world(w, docs.Worlds[w.Name])
	}
	return nil
}

func (d documenter) iface(i *wit.Interface, docs interfaceDocs) {
	i.Docs, i.Gate = wit.CleanDocs(docs.Docs), d.gate(docs.Stability)
	d.types(i.Types, docs.Types)
	for _, f := range i.Funcs {
		f.Docs, f.Gate = wit.CleanDocs(docs.Funcs[f.Name].Docs), d.gate(docs.Funcs[f.Name].Stability)
	}
}

func (d documenter) types(types []*wit.TypeDef, docs map[string]itemDocs) {
	for _, t := range types {
		of := docs[t.Name]
		t.Docs, t.Gate = wit.CleanDocs(of.Docs), d.gate(of.Stability)
		if t.Type == nil || t.From != nil || len(of.Items) == 0 {
			continue
		}
		var members []string
		for _, f := range t.Type.Fields {
			members = append(members, wit.CleanDocs(of.Items[f.Name]))
		}
		for _, c := range t.Type.Cases {
			members = append(members, wit.CleanDocs(of.Items[c.Name]))
		}
		for _, n := range t.Type.Names {
			members = append(members, wit.CleanDocs(of.Items[n]))
		}
		if strings.Join(members, "") != "" {
			t.Members = members
		}
	}
}

func (d documenter) world(w *wit.World, docs worldDocs) {
	w.Docs, w.Gate = wit.CleanDocs(docs.Docs), d.gate(docs.Stability)
	d.types(w.Types, docs.Types)
	imported := map[string]bool{}
	for _, x := range w.Imports {
		imported[x.Name] = true
		d.extern(x, docs.ImportDocs, docs.ImportGates, docs.Interfaces[x.Name], docs.Funcs[x.Name])
	}
	for _, x := range w.Exports {
		i, f := docs.InterfaceExports[x.Name], docs.FuncExports[x.Name]
		if !imported[x.Name] {
			i, f = either(docs.InterfaceExports, docs.Interfaces, x.Name), either(docs.FuncExports, docs.Funcs, x.Name)
		}
		d.extern(x, docs.ExportDocs, docs.ExportGates, i, f)
	}
}

func either[T any](a, b map[string]T, name string) T {
	if v, ok := a[name]; ok {
		return v
	}
	return b[name]
}

func (d documenter) extern(x *wit.Extern, docs map[string]string, gates map[string]gateDocs, i interfaceDocs, f itemDocs) {
	switch {
	case x.Func != nil:
		x.Docs, x.Gate = wit.CleanDocs(f.Docs), d.gate(f.Stability)
	case x.Interface.Package == nil:
		d.iface(x.Interface, i)
		x.Docs, x.Gate = x.Interface.Docs, x.Interface.Gate
		x.Interface.Docs, x.Interface.Gate = "", wit.Gate{}
	}
	if text := wit.CleanDocs(docs[x.Name]); text != "" {
		x.Docs = text
	}
	if g := d.gate(gates[x.Name]); g != (wit.Gate{}) {
		x.Gate = g
	}
}

// gate is a gate that can be printed; in a package without a version there are none.
func (d documenter) gate(g gateDocs) wit.Gate {
	var gate wit.Gate
	switch {
	case !d.gated:
	case g.Stable != nil && wit.IsVersion(g.Stable.Since):
		gate = wit.Gate{Since: g.Stable.Since, Deprecated: g.Stable.Deprecated}
	case g.Unstable != nil && wit.IsLabel(g.Unstable.Feature):
		gate = wit.Gate{Unstable: g.Unstable.Feature, Deprecated: g.Unstable.Deprecated}
	}
	if !wit.IsVersion(gate.Deprecated) {
		gate.Deprecated = ""
	}
	return gate
}
