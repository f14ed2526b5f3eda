package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
	"greentic.dev/wasm/wit"
)

// inspection is what `component inspect --json` prints.
type inspection struct {
	File         string            `json:"file"`
	Digest       string            `json:"digest"`
	Size         int               `json:"size"`
	ABI          host.ABI          `json:"abi,omitempty"` // empty: nothing this host can call
	Imports      []inspectedItem   `json:"imports"`
	Exports      []inspectedItem   `json:"exports"`
	Types        []inspectedPart   `json:"types"` // at world level
	Capabilities []string          `json:"capabilities"`
	Missing      []host.Missing    `json:"missing"`   // imports that this host does not offer
	Producers    map[string][]tool `json:"producers"` // by field: language, processed-by, sdk
	Operations   []host.Operation  `json:"operations,omitempty"`
	Description  *host.Description `json:"description,omitempty"`
	Notes        []string          `json:"notes,omitempty"` // why it cannot be called or described
}

// inspectedItem is an import or export: an interface, or a function at world level.
type inspectedItem struct {
	Name       string          `json:"name"`
	Capability string          `json:"capability,omitempty"`
	Functions  []inspectedPart `json:"functions"`
	Types      []inspectedPart `json:"types"`
}

// inspectedPart is a function with its signature, or a type with its definition, as WIT.
type inspectedPart struct {
	Name string `json:"name"`
	WIT  string `json:"wit,omitempty"`
}

type tool struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

func componentInspectCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a component imports, exports, needs and says about itself",
		Long: `Show what a component imports, exports, needs and says about itself.

A component that this host cannot run for want of imports is shown too, with what is missing.`,
		Example: "  greentic component inspect provider.wasm --json",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			w, err := openComponent(c.Context(), env, args[0])
			if err != nil {
				return err
			}
			defer w.close()
			report, err := w.inspect(c.Context())
			if err != nil {
				return fault.Wrap("component "+args[0], err)
			}
			report.File = args[0]
			if env.JSON {
				return printJSON(env, report)
			}
			printInspection(env, report)
			return nil
		},
	}
}

func (w *workbench) inspect(ctx context.Context) (inspection, error) {
	r := inspection{Digest: w.code.Digest(), Size: w.code.Size(), Types: []inspectedPart{}, Missing: []host.Missing{}, Producers: map[string][]tool{}}
	o, err := outline.Read(w.bytes, binary.Limits{})
	if err != nil {
		return r, err
	}
	for _, p := range o.Producers() {
		r.Producers[p.Field] = append(r.Producers[p.Field], tool{p.Name, p.Version})
	}
	root := &wit.World{}
	if set, err := o.WIT(); err != nil {
		r.Notes = append(r.Notes, err.Error())
	} else if set.World("root:component/root") != nil {
		root = set.World("root:component/root")
	}
	imports := host.ImportsOf(w.code)
	r.Capabilities = host.Capabilities(imports)
	r.Imports, r.Exports = []inspectedItem{}, []inspectedItem{}
	for i, item := range w.code.Imports() {
		r.Imports = append(r.Imports, inspectItem(item, imports[i].Capability, root.Types, root.Imports))
	}
	for _, item := range w.code.Exports() {
		r.Exports = append(r.Exports, inspectItem(item, "", root.Types, root.Exports))
	}
	defined, _ := wit.Entries(root.Types, nil)
	for _, e := range defined {
		r.Types = append(r.Types, inspectedPart{e.Name, e.Text})
	}
	h := host.New(host.Deps{Engine: w.engine}, w.options())
	r.Missing = append(r.Missing, h.Missing(w.code)...)
	if r.ABI, err = host.ABIOf(w.code); err != nil {
		r.Notes = append(r.Notes, err.Error())
	}
	if err != nil || len(r.Missing) > 0 {
		return r, nil
	}
	component, err := h.Load(ctx, w.name, w.bytes)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
		return r, nil
	}
	description, err := component.Describe(ctx)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
		return r, nil
	}
	r.Operations, r.Description = description.Operations, &description
	return r, nil
}

// inspectItem shows an import or export with the WIT that one of externs gives of it.
func inspectItem(item wasm.Item, capability string, types []*wit.TypeDef, externs []*wit.Extern) inspectedItem {
	out := inspectedItem{Name: item.Name, Capability: capability, Functions: []inspectedPart{}, Types: []inspectedPart{}}
	var defined, callable []wit.Entry
	i := slices.IndexFunc(externs, func(x *wit.Extern) bool { return x.Name == item.Name })
	switch {
	case i < 0:
		for _, name := range item.Order {
			callable = append(callable, wit.Entry{Name: name})
		}
		if item.Func != nil {
			callable = append(callable, wit.Entry{Name: item.Name})
		}
	case externs[i].Func != nil:
		_, callable = wit.Entries(types, []*wit.Func{{Name: item.Name, Type: externs[i].Func}})
	default:
		x := externs[i].Interface
		defined, callable = wit.Entries(x.Types, x.Funcs)
		callable = slices.DeleteFunc(callable, func(e wit.Entry) bool { return item.Funcs[e.Name] == nil }) // of the other side
	}
	for _, e := range defined {
		out.Types = append(out.Types, inspectedPart{e.Name, e.Text})
	}
	for _, e := range callable {
		out.Functions = append(out.Functions, inspectedPart{e.Name, e.Text})
	}
	return out
}

func (w *workbench) options() host.Options {
	return host.Options{Limits: wasm.Limits{Memory: uint64(w.config.MemoryBytes), Wall: w.config.StepTime}}
}

func printInspection(env *environment, r inspection) {
	out := env.Stdout
	fmt.Fprintf(out, "%s: %d bytes, %s\n", r.File, r.Size, r.Digest)
	if r.Description != nil && r.Description.Name != "" {
		fmt.Fprintf(out, "%s %s %s\n", r.Description.Name, r.Description.Version, r.Description.Summary)
	}
	if r.ABI != "" {
		fmt.Fprintf(out, "called through %s\n", r.ABI)
	}
	needs := "nothing"
	if len(r.Capabilities) > 0 {
		needs = strings.Join(r.Capabilities, ", ")
	}
	fmt.Fprintf(out, "needs %s\n", needs)
	if made := producedBy(r.Producers); made != "" {
		fmt.Fprintf(out, "made with %s\n", made)
	}
	printItems(env, "imports", r.Imports)
	printItems(env, "exports", r.Exports)
	if len(r.Missing) > 0 {
		fmt.Fprintln(out, "missing here")
	}
	for _, m := range r.Missing {
		fmt.Fprintf(out, "  %s\n", missingName(m))
	}
	if len(r.Operations) > 0 {
		fmt.Fprintln(out, "operations")
	}
	for _, o := range r.Operations {
		fmt.Fprintf(out, "  %-24s %s\n", o.Name, o.Summary)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
}

// missingName names an import as errors do.
func missingName(m host.Missing) string {
	if m.Interface == "" {
		return m.Function
	}
	return m.Interface + "#" + m.Function
}

func producedBy(producers map[string][]tool) string {
	var list []string
	for _, field := range []string{"language", "sdk", "processed-by"} {
		for _, t := range producers[field] {
			list = append(list, strings.TrimSpace(t.Name+" "+t.Version))
		}
	}
	return strings.Join(list, ", ")
}

func printItems(env *environment, title string, items []inspectedItem) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintln(env.Stdout, title)
	for _, i := range items {
		needs := ""
		if i.Capability != "" && i.Capability != i.Name {
			needs = "   needs " + i.Capability
		}
		if len(i.Functions) == 1 && i.Functions[0].Name == i.Name { // at world level
			fmt.Fprintf(env.Stdout, "  %s: %s\n", i.Name, i.Functions[0].WIT)
			continue
		}
		fmt.Fprintf(env.Stdout, "  %s%s\n", i.Name, needs)
		if len(i.Functions) == 0 {
			fmt.Fprintln(env.Stdout, "      types only")
		}
		for _, f := range i.Functions {
			fmt.Fprintf(env.Stdout, "      %s: %s\n", f.Name, f.WIT)
		}
	}
}
