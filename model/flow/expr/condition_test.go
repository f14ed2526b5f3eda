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
		// CEL as it is, with macros
		`prev.items.exists(i, i == "A")`: true, `prev.items.all(i, i == "a")`: false, `prev.items.filter(i, i["k v"] == "x").size() == 1`: true,
		`prev.items.exists(i, i.gone.deeper > 3)`: false, `prev.gone.exists(i, true)`: false, `prev.gone.all(i, false)`: true,
		`[3, 1].map(n, n * prev.count)[0] == 9`: true, `{"a": prev.count}.a == 3`: true, `[1, 2].exists_one(n, n > 1)`: true,
		`prev.items.exists(action, action == prev.items[0])`: true, `type(prev.count) == int`: true, `r"\d" == "\\d"`: true,
		`timestamp("2026-01-02T03:04:05Z").getFullYear() == 2026`: true, `"a" + "b" == "ab"`: true, `string(prev.count) == "3"`: true,
		`prev.items[prev.count] == null`: true, `prev.items[prev.count - 3] == "a"`: true, `{"a": null}.a == null`: true,
		// a missing path is null, wherever it stands
		`size(prev.gone) == 0`: true, `prev.gone.size() == 0`: true, `prev.gone.startsWith("a")`: false, `prev.gone.matches(".*")`: false,
		`"a" in prev.gone`: false, `prev.gone ? true : false`: false, `prev.gone || prev.count == 3`: true, `has(prev.items[0])`: true, `has(nothing)`: false,
		// names that CEL does not know
		`in.input.text == hello && "n" in response`: true, `ask-name["name"] != "bob"`: true, `prev.items.0 == "a"`: true, `prev.package == null`: true,
		`prev.items[1]["k v"] == x-y || ask-name.name.size() == 3`: true, `größe == null`: true, `_name0 == null && ask-name.name == "ann"`: true,
		// numbers of different sorts
		`prev.confidence * 100 > 80`: true, `prev.confidence + prev.count < 4`: true, `prev.big + prev.count == 10`: true, `response.n % 2 == 1`: true,
		`prev.big == 7u`: true, `prev.count < 3.5`: true,
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
		`fetch("x")`: {1, fault.Unsupported}, `x.fold(y)`: {3, fault.Unsupported}, `x.matches("[")`: {3, fault.Invalid},
		`prev-node.x == "ü" && größe > #`: {31, fault.Invalid}, `in.x && ask-name.first(1)`: {18, fault.Unsupported}, `Foo{a: 1}.a == 1`: {4, fault.Invalid},
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

func TestTheColumnOfAFailureIsTheUsersOwn(t *testing.T) {
	for src, col := range map[string]int{
		`response.text > 3`: 15, `ask-name.name == "ann" && response.text > 3`: 41, `in.input.text == "x" || ask-name.name`: 25, `prev.items.exists(i, i < 3)`: 24,
	} {
		c, err := expr.CompileCondition(src)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Eval(scope())
		if pos, _, _ := fault.Detail(err); pos.Col != col {
			t.Errorf("%s: column %d, want %d: %v", src, pos.Col, col, err)
		}
	}
}

func TestAConditionThatCostsTooMuchIsStopped(t *testing.T) {
	many := make([]any, 1000)
	for i := range many {
		many[i] = strings.Repeat("x", 100)
	}
	for _, src := range []string{
		`m.all(a, m.all(b, m.all(c, c != "y")))`, `m.map(a, m.map(b, a + b)).size() == 1`,
		`m.exists(a, a` + strings.Repeat(" + a", 100) + ` == "x")`, `m.exists(a, 5 in m)`, `m.exists(a, a.matches("` + strings.Repeat("(x+)+y", 20) + `"))`,
	} {
		c, err := expr.CompileCondition(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Eval(map[string]any{"m": many}); !fault.Is(err, fault.Exhausted) {
			t.Errorf("%.40s: %v", src, err)
		}
	}
}

func BenchmarkCondition(b *testing.B) {
	c, err := expr.CompileCondition(`response.action == "printer" && prev.count > 2`)
	if err != nil {
		b.Fatal(err)
	}
	s := scope()
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := c.Eval(s); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkCompileCondition(b *testing.B) {
	for b.Loop() {
		if _, err := expr.CompileCondition(`response.action == "printer" && prev.count > 2`); err != nil {
			b.Fatal(err)
		}
	}
}
