package flow

import (
	"maps"

	"greentic.dev/model/flow/expr"
)

// provider is the part of a provider.invoke that its payload holds beside the mapping of its node.
type provider struct{ in *expr.Mapping }

// prepareProvider compiles in_map, out_map and err_map of a provider.invoke, in which a string may be
// a JSON Pointer, and returns the mapping of the rest. Those beside the operation win.
func (n *Node) prepareProvider(mapping func(v any, o expr.Options) *expr.Mapping, partials map[string]string) *expr.Mapping {
	rest := map[string]any{}
	fields, _ := n.Input.(map[string]any)
	maps.Copy(rest, fields)
	o := expr.Options{Partials: partials, Pointers: true}
	n.provider = &provider{}
	for key, to := range map[string]**expr.Mapping{"in_map": &n.provider.in, "out_map": &n.output, "err_map": &n.errMap} {
		if v, ok := rest[key]; ok && !empty(v) && *to == nil {
			*to = mapping(v, o)
		}
		delete(rest, key)
	}
	return mapping(rest, expr.Options{Partials: partials})
}

// provide calls a provider of the pack: the one called provider_id, or the only one of its type.
func (f *Flow) provide(c Cursor, n *Node, fields map[string]any) Step {
	c.Attempt++
	step := Step{Do: DoInvoke, Cursor: c, Node: n.ID, Attempt: c.Attempt, Timeout: n.Timeout, Texts: n.texts,
		Provider: firstText(fields, "provider_id"), ProviderType: firstText(fields, "provider_type"),
		Operation: firstText(fields, "op", "operation"), Config: fields["config"]}
	if step.Provider == "" && step.ProviderType == "" {
		return f.failure(c, n, "provider_missing", "provider.invoke needs provider_id or provider_type, a text")
	}
	if step.Operation == "" {
		return f.failure(c, n, "operation_missing", "provider.invoke needs op, a text")
	}
	var err error
	if step.Input, err = f.provided(c, n, fields); err != nil {
		return f.failed(c, n, "input_mapping", err)
	}
	return step
}

// provided is what a provider is given: in_map over input, else input.
func (f *Flow) provided(c Cursor, n *Node, fields map[string]any) (any, error) {
	input, ok := fields["input"]
	if n.provider == nil || n.provider.in == nil {
		return input, nil
	}
	s := f.scope(c, n.provider.in.Roots(), nil)
	if ok {
		s["input"] = input
	}
	return n.provider.in.Render(s, true)
}

// given is what n was given when it was called.
func (f *Flow) given(c Cursor, n *Node) (any, error) {
	if n.input == nil {
		return nil, nil
	}
	input, err := n.input.Render(f.scope(c, n.input.Roots(), nil), true)
	if fields, ok := input.(map[string]any); ok && n.provider != nil && err == nil {
		return f.provided(c, n, fields)
	}
	return input, err
}
