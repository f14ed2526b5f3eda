package expr_test

import (
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
)

func scope() expr.Scope {
	return expr.Scope{
		"response": map[string]any{"action": "Printer", "text": "hi there", "n": 5.0, "yes": true},
		"prev":     map[string]any{"confidence": 0.9, "items": []any{"a", map[string]any{"k v": "x"}}, "count": int64(3), "big": uint64(7)},
		"in":       map[string]any{"input": map[string]any{"text": "hello"}},
		"ask-name": map[string]any{"name": "Ann"},
	}
}

func TestConditionsDecide(t *testing.T) {
	for src, want := range map[string]bool{
		// the ecosystem's form: case-insensitive texts, missing never equals
		`response.action == "printer"`: true, `response.action == 'PRINTER'`: true, `response.action == printer`: true,
		`response.action != "printer"`: false, `response.gone == ""`: false, `response.gone != "x"`: true,
		`response.n == 5`: true, `response.n == "5"`: true, `response.yes == true`: true, `response.yes == "TRUE"`: true,
		`"printer" == response.action`: true, `in.input.text == "HELLO"`: true, `ask-name.name == ann`: true,
		`prev.items == "a"`: false,
		// also inside && and ||
		`response.action == "nope" || response.text == "HI THERE"`:                             true,
		`response.action == "printer" && response.gone != "x"`:                                 true,
		`!(response.action == "printer")`:                                                      false,
		`(response.action == "x" || prev.confidence >= 0.8) && !(response.action == "laptop")`: true,
		// everything else
		`prev.confidence >= 0.8`: true, `prev.count < 2`: false, `prev.count == prev.count`: true, `prev.big > prev.count`: true,
		`prev.items[1]["k v"] == "X"`: true, `prev.items[0] == a`: true, `prev.items[9] == null`: true,
		`prev.gone.deeper == null`: true, `prev.gone > 3`: false, `prev.gone`: false, `!prev.gone`: true,
		`prev.count + 1 == 2 * 2`: true, `prev.count - 1 == 2`: true, `-prev.count == 0 - 3`: true, `7 % 4 == 3`: true,
		`"a" in prev.items`: true, `"n" in response`: true, `response.n in [1, 5]`: true,
		`size(prev.items) == 2`: true, `response.text.startsWith("hi")`: true, `response.text.matches("^h.*e$")`: true,
		`response.text.contains("zz")`: false, `has(prev.count)`: true, `has(prev.gone)`: false, `int("12") > 11`: true,
		`prev.count > 2 ? true : false`: true, `"b" > "a"`: true, `response.action != prev.gone`: true,
		// an operand that decides wins over the error of the other
		`response.text > 3 || true`: true, `response.text > 3 && false`: false,
	} {
		c, err := expr.CompileCondition(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, err := c.Eval(scope())
		if err != nil || got != want {
			t.Errorf("%s = %v, %v; want %v", src, got, err, want)
		}
	}
}

func TestWrongConditionsAreRefusedWithTheirColumn(t *testing.T) {
	for src, want := range map[string]struct {
		col  int
		kind fault.Kind
	}{
		``: {1, fault.Invalid}, `a ==`: {5, fault.Invalid}, `a == "b`: {6, fault.Invalid}, `a = b`: {3, fault.Invalid},
		`(a == 1`: {8, fault.Invalid}, `a == 1)`: {7, fault.Invalid}, `a..b == 1`: {3, fault.Invalid}, `a && `: {6, fault.Invalid},
		`fetch("x")`: {1, fault.Unsupported}, `x.exists(y, y == 1)`: {3, fault.Unsupported}, `x.matches("[")`: {3, fault.Invalid},
		`x.matches(y)`: {3, fault.Invalid}, `size()`: {1, fault.Invalid}, `a == #`: {6, fault.Invalid},
	} {
		_, err := expr.CompileCondition(src)
		pos, _, _ := fault.Detail(err)
		if fault.KindOf(err) != want.kind || pos.Col != want.col {
			t.Errorf("%q: %v at column %d, want %s at %d", src, err, pos.Col, want.kind, want.col)
		}
	}
	for _, src := range []string{strings.Repeat("(", 5000), strings.Repeat("!", 5000), strings.Repeat("-", 5000), strings.Repeat("a", 9000), "a" + strings.Repeat(".b", 100)} {
		if _, err := expr.CompileCondition(src); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.10s…: %v", src, err)
		}
	}
}

func TestOperandsOfTheWrongSortAreAnError(t *testing.T) {
	for _, src := range []string{`response.text > 3`, `response.text`, `1 / 0 == 1`, `response.text + 1 == 2`, `"a" in response.text`, `9223372036854775807 + 1 > 0`, `int("x") == 1`} {
		c, err := expr.CompileCondition(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if got, err := c.Eval(scope()); !fault.Is(err, fault.Invalid) || got {
			t.Errorf("%s = %v, %v", src, got, err)
		}
	}
}
