package componenttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
)

// plain is v with the types that values of components have.
func plain(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fault.As(fault.Invalid, "value", err)
	}
	return cbor.FromJSON(text)
}

func plainNode(n ast.Node) (any, error) {
	var v any
	if err := yaml.NodeToValue(n, &v); err != nil {
		return nil, fault.As(fault.Invalid, "value", err)
	}
	return plain(v)
}

// against is the difference to what a test file says.
func against(want ast.Node, got any, partly bool) []string {
	w, err := plainNode(want)
	if err != nil {
		return []string{err.Error()}
	}
	g, err := plain(got)
	if err != nil {
		return []string{err.Error()}
	}
	return difference("$", w, g, partly)
}

func jsonAgainst(path string, want any, src []byte) []string {
	got, err := cbor.FromJSON(src)
	if err != nil {
		return []string{path + ": it is no JSON"}
	}
	return difference(path, want, got, false)
}

// difference lists where got is not want. With partly, objects may have more keys.
func difference(path string, want, got any, partly bool) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		var out []string
		for _, k := range slices.Sorted(maps.Keys(w)) {
			inner, has := g[k]
			if !has {
				out = append(out, fmt.Sprintf("%s.%s: want %s, got nothing", path, k, short(w[k])))
				continue
			}
			out = append(out, difference(path+"."+k, w[k], inner, partly)...)
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, known := w[k]; !known && !partly {
				out = append(out, fmt.Sprintf("%s.%s: not expected, got %s", path, k, short(g[k])))
			}
		}
		return out
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		var out []string
		for i := range min(len(w), len(g)) {
			out = append(out, difference(fmt.Sprintf("%s[%d]", path, i), w[i], g[i], partly)...)
		}
		if len(w) != len(g) {
			out = append(out, fmt.Sprintf("%s: want %d elements, got %d", path, len(w), len(g)))
		}
		return out
	}
	if text(want) == text(got) {
		return nil
	}
	return []string{fmt.Sprintf("%s: want %s, got %s", path, short(want), short(got))}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// short is a value as people read it, cut when it is long.
func short(v any) string {
	const most = 200
	s := text(v)
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
