package schema_test

import (
	"strings"
	"testing"

	"greentic.dev/components/schema"
)

func object(properties map[string]any, required ...any) map[string]any {
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func TestProblemsNameThePlace(t *testing.T) {
	s, err := schema.Compile(object(map[string]any{
		"name": map[string]any{"type": "string", "minLength": int64(2)},
		"age":  map[string]any{"type": "integer", "minimum": int64(0)},
		"tags": map[string]any{"type": "array", "items": map[string]any{"enum": []any{"a", "b"}}},
	}, "name"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		value any
		want  []string
	}{
		{map[string]any{"name": "Ada", "age": int64(3), "tags": []any{"a"}}, nil},
		{map[string]any{"name": "Ada", "age": 3.0}, nil},
		{map[string]any{}, []string{"$: missing property 'name'"}},
		{map[string]any{"name": "A"}, []string{"$.name: minLength"}},
		{map[string]any{"name": "Ada", "age": 3.5}, []string{"$.age: got number, want integer"}},
		{map[string]any{"name": "Ada", "tags": []any{"a", "c"}}, []string{"$.tags.1: value must be one of 'a', 'b'"}},
		{map[string]any{"name": "Ada", "other": true}, []string{"additional properties 'other' not allowed"}},
		{"Ada", []string{"$: got string, want object"}},
	} {
		got := s.Problems(c.value)
		if len(got) != len(c.want) {
			t.Errorf("%v: %q, want %q", c.value, got, c.want)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], c.want[i]) {
				t.Errorf("%v: %q, want %q", c.value, got[i], c.want[i])
			}
		}
	}
}

func TestASchemaMayReferToItselfOnly(t *testing.T) {
	s, err := schema.Compile(map[string]any{"$ref": "#/$defs/n", "$defs": map[string]any{"n": map[string]any{"type": "integer"}}})
	if err != nil || s.Problems(int64(1)) != nil || s.Problems("1") == nil {
		t.Errorf("%v", err)
	}
	for _, ref := range []string{"https://example.com/schema.json", "file:///etc/passwd", "other.json"} {
		if _, err := schema.Compile(map[string]any{"$ref": ref}); err == nil || !strings.Contains(err.Error(), "must point into the schema itself") {
			t.Errorf("$ref %s: %v", ref, err)
		}
	}
}

func TestABrokenSchemaIsRefused(t *testing.T) {
	for _, doc := range []any{
		map[string]any{"type": "strin"},
		map[string]any{"pattern": "("},
		map[string]any{"minimum": "1"},
		"object",
	} {
		if _, err := schema.Compile(doc); err == nil {
			t.Errorf("%v compiles", doc)
		}
	}
}
