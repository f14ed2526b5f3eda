package slot_test

import (
	"reflect"
	"strings"
	"testing"

	"greentic.dev/model/flow/slot"
)

func TestWhatFillsASlotGetsItsTypeOrIsRefused(t *testing.T) {
	m := func(name, kind string, more ...any) map[string]any {
		out := map[string]any{"name": name, "slot_type": kind}
		for i := 0; i < len(more); i += 2 {
			out[more[i].(string)] = more[i+1]
		}
		return out
	}
	s := slot.Read([]any{m("zip", "string", "pattern", `^\d{5}$`), m("size", "enum", "enum_values", []any{"S", "M"}), m("n", "number", "default_value", int64(1)), m("day", "date"), m("yes", "boolean")},
		func(i int, fix, format string, args ...any) { t.Errorf("%d: "+format, append([]any{i}, args...)...) })
	for _, c := range []struct {
		name        string
		given, want any
		problem     string
	}{
		{"zip", " 10115 ", "10115", ""}, {"zip", "1011", nil, "zip is a text that fits"}, {"zip", int64(10115), nil, "zip is a text"},
		{"size", "m", "M", ""}, {"size", "XL", nil, "size is one of S, M"}, {"n", "4.5", 4.5, ""}, {"n", int64(4), int64(4), ""}, {"n", "many", nil, "n is a number"},
		{"day", "2026-07-31", "2026-07-31", ""}, {"day", "2026-13-31", nil, "day is a date"}, {"yes", "true", true, ""}, {"yes", "perhaps", nil, "yes is true or false"}, {"other", "x", "x", ""},
	} {
		if got, problem := s.Accept(c.name, c.given); !reflect.DeepEqual(got, c.want) || !strings.HasPrefix(problem, c.problem) || (c.problem == "") != (problem == "") {
			t.Errorf("%s %v: %v, %q", c.name, c.given, got, problem)
		}
	}
	if got := s.Filled(map[string]any{"zip": "10115"}); got["zip"] != "10115" || got["n"] != int64(1) || got["day"] != nil || len(got) != 5 {
		t.Errorf("filled %v", got)
	}
}
