package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

type object = map[string]any

func call(t *testing.T, in object) object {
	t.Helper()
	out, err := component.Call(nil, "map", in)
	if err != nil {
		t.Fatalf("%v: %v", in, err)
	}
	return out.(object)
}

func TestFiltersMeanWhatTheyMeanInJq(t *testing.T) {
	input := object{"people": []any{object{"name": "Ada", "age": 36}, object{"name": "Tim", "age": 12.5}}, "big": uint64(1) << 63, "none": nil}
	for filter, want := range map[string]any{
		".people[0].name":                                         "Ada",
		"[.people[] | select(.age >= 18) | .name]":                []any{"Ada"},
		"{total: ([.people[].age] | add), n: (.people | length)}": object{"total": 48.5, "n": int64(2)},
		".people | map({(.name): .age}) | add":                    object{"Ada": int64(36), "Tim": 12.5},
		".none":                                                   nil,
		".people[0].age / 2":                                      int64(18),
		"$rate * 2":                                               int64(6),
		"$ENV | length":                                           int64(0),
		"env | length":                                            int64(0),
		".big":                                                    9.223372036854775808e18,
		"infinite":                                                1.7976931348623157e308,
		"nan":                                                     nil,
		`"a,b" | split(",")`:                                      []any{"a", "b"},
		`.people | group_by(.age > 18) | map(length)`: []any{int64(1), int64(1)},
		`"\(.people[0].name) is \(.people[0].age)"`:   "Ada is 36",
		`try error("x") catch .`:                      "x",
		`"2026-11-26T16:00:00Z" | fromdate`:           int64(1795708800),
	} {
		out := call(t, object{"filter": filter, "input": input, "vars": object{"rate": 3}})
		if !reflect.DeepEqual(out["value"], want) || out["status"] != "ok" {
			t.Errorf("%s: %#v", filter, out)
		}
	}
}

func TestResultsAreCounted(t *testing.T) {
	out := call(t, object{"filter": ".[]", "input": []any{1, 2, 3}, "all": true})
	if !reflect.DeepEqual(out, object{"status": "ok", "value": []any{int64(1), int64(2), int64(3)}, "count": int64(3)}) {
		t.Errorf("%v", out)
	}
	if out = call(t, object{"filter": ".[]", "input": []any{1, 2, 3}}); out["value"] != int64(1) || out["count"] != int64(3) {
		t.Errorf("%v", out)
	}
	if out = call(t, object{"filter": "empty"}); out["status"] != "empty" || out["value"] != nil {
		t.Errorf("%v", out)
	}
	if out = call(t, object{"filter": "1, halt, 2", "all": true}); out["count"] != int64(1) {
		t.Errorf("%v", out)
	}
}

func TestNamedFiltersComeFromTheConfiguration(t *testing.T) {
	if out := call(t, object{"name": "n", "input": []any{1, 2}, "config": object{"filters": object{"n": "length"}}}); out["value"] != int64(2) {
		t.Errorf("%v", out)
	}
}

func TestTheInputIsLeftAsItWas(t *testing.T) {
	in := object{"a": []any{1, object{"b": 2}}}
	call(t, object{"filter": ".a[1].b = 3 | .a[0] |= . + 1 | del(.a[0])", "input": in})
	if !reflect.DeepEqual(in, object{"a": []any{1, object{"b": 2}}}) {
		t.Errorf("%v", in)
	}
}

// What a hostile filter may try ends in an error that names the limit.
func TestFiltersEndAtTheirLimits(t *testing.T) {
	for _, c := range []struct{ filter, code, says string }{
		{"def f: f; f", "too_many_steps", "1000000 steps"},
		{"repeat(1) | empty", "too_many_steps", "1000000 steps"},
		{"[range(1e12)]", "too_many_steps", "1000000 steps"},
		{"last(range(1e12))", "too_many_steps", "1000000 steps"},
		{"range(20000)", "too_many_results", "10000 results"},
		{`"x" * 2000000`, "output_too_large", "1048576 bytes"},
		{`[range(1000)] | map("x" * 2000)`, "output_too_large", "1048576 bytes"},
		{"reduce range(100) as $i (1; [.])", "output_too_deep", "deeper than 60"},
		{"input", "filter_invalid", "input"},
		{`error({"why": "no"})`, "filter_failed", "why"},
		{".a.b", "filter_failed", "number"},
		{`halt_error`, "filter_failed", ""},
		{`import "x" as x; .`, "filter_invalid", ""},
		{"$missing", "filter_invalid", "$missing"},
		{"nosuch(1)", "filter_invalid", "nosuch"},
		{"", "invalid_input", "filter"},
		{strings.Repeat(" ", 70_000) + ".", "filter_too_long", "65536"},
	} {
		_, err := component.Call(nil, "map", object{"filter": c.filter, "input": object{"a": 1}})
		var e *greentic.Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.says) {
			t.Errorf("%.60s: %v", c.filter, err)
		}
	}
}

func TestTheLimitsAreConfigured(t *testing.T) {
	config := object{"steps": 100}
	if _, err := component.Call(nil, "map", object{"filter": "[range(100)]", "config": config}); err == nil || !strings.Contains(err.Error(), "more than 100 steps") {
		t.Error(err)
	}
	if out := call(t, object{"filter": "[range(100)] | length", "config": object{"steps": 5000}}); out["value"] != int64(100) {
		t.Errorf("%v", out)
	}
}

func TestWhatAFilterThrowsIsInTheDetails(t *testing.T) {
	_, err := component.Call(nil, "map", object{"filter": `error({"why": "no"})`})
	var e *greentic.Error
	if !errors.As(err, &e) || !reflect.DeepEqual(e.Details, object{"why": "no"}) {
		t.Errorf("%+v", err)
	}
}

func TestCheckSaysWhereAFilterIsWrong(t *testing.T) {
	out, err := component.Call(nil, "check", object{"filter": ".a\n  | map(.b]"})
	m, _ := out.(object)
	if err != nil || m["ok"] != false || m["line"] != int64(2) || m["col"] != int64(11) || m["excerpt"] != "  | map(.b]" || m["message"] == "" {
		t.Errorf("%v %v", err, out)
	}
	if out, err = component.Call(nil, "check", object{"filter": ".a"}); err != nil || !reflect.DeepEqual(out, object{"ok": true}) {
		t.Errorf("%v %v", err, out)
	}
}
