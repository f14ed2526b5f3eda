package build

import (
	"context"

	"greentic.dev/model/component"
)

// Contents is what a folder packs, for whoever looks at it and needs no archive.
type Contents struct {
	Components []component.Compiled
	Code       map[string][]byte          // by component
	Calls      map[string]map[string]Call // by flow and node
	Files      map[string][]byte          // as they would lie in the pack
	Extensions map[string]any             // of pack.yaml
}

// Call is the component and operation that a node stands for; a builtin stands for itself.
type Call struct{ Component, Operation string }

// Inspect reads a folder as Pack does, with the same errors up to where the archive would be written.
func Inspect(ctx context.Context, dir string, opts Options) (*Contents, error) {
	b, err := gather(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	c := &Contents{Code: map[string][]byte{}, Calls: map[string]map[string]Call{}, Files: b.files, Extensions: b.project.Extensions}
	for _, p := range b.parts {
		c.Components = append(c.Components, p.compiled)
		c.Code[p.compiled.ID] = b.files[p.wasmPath()]
	}
	for _, f := range b.flows {
		calls := map[string]Call{}
		nodes, _ := f.Doc["nodes"].([]any)
		for _, item := range nodes {
			n, _ := item.(map[string]any)
			ref, _ := n["component"].(map[string]any)
			id, _ := n["id"].(string)
			var call Call
			call.Component, _ = ref["id"].(string)
			call.Operation, _ = ref["operation"].(string)
			calls[id] = call
		}
		c.Calls[f.ID] = calls
	}
	return c, nil
}
