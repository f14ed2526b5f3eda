package source_test

import (
	"reflect"
	"strings"
	"testing"

	"greentic.dev/model/flow/source"
)

func TestEveryValueKnowsWhereItStands(t *testing.T) {
	v, wrong := source.Read([]byte("a: 1\nb:\n  - {x~/y: \"two\"}\n  - |\n    text\n"))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	want := map[string]any{"a": int64(1), "b": []any{map[string]any{"x~/y": "two"}, "text\n"}}
	if !reflect.DeepEqual(v.Plain, want) || !reflect.DeepEqual(v.Keys(), []string{"a", "b"}) {
		t.Errorf("read %v, keys %v", v.Plain, v.Keys())
	}
	inner := v.Field("b").Items[0].Field("x~/y")
	if inner.Pos != (source.Pos{Line: 3, Col: 12}) || inner.At != "/b/0/x~0~1y" || !inner.Quoted {
		t.Errorf("%+v", inner)
	}
	if pos, got := v.Place([]string{"b", "gone"}); pos != (source.Pos{Line: 2, Col: 1}) || got != v.Field("b") {
		t.Errorf("place %v", pos)
	}
	if (*source.Value)(nil).Field("x") != nil || v.Field("gone").Keys() != nil {
		t.Error("nothing has fields")
	}
}

func TestALimitIsNamed(t *testing.T) {
	for src, want := range map[string]string{
		strings.Repeat("#", source.MaxBytes+1): "longer than 4194304 bytes",
		strings.Repeat("[", 200):               "nested deeper than 100",
		strings.Repeat("- a\n", 40_000):        "more than 64000 words",
		"a: &x 1\nb: *x\n":                     "anchors, aliases and merge keys",
	} {
		if _, wrong := source.Read([]byte(src)); len(wrong) == 0 || !strings.Contains(wrong[0].Message, want) {
			t.Errorf("want %q, got %v", want, wrong)
		}
	}
}
