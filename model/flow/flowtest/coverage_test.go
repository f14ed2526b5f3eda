package flowtest_test

import (
	"strings"
	"testing"

	"greentic.dev/model/flow"
	"greentic.dev/model/flow/flowtest"
)

const covered = `id: t
type: messaging
nodes:
  a:
    emit.log: 1
    routing:
      - { condition: 'x == y', to: b }
      - { condition: 'x == z', to: b }
      - { out: true }
  b:
    session.wait: { timeout: 1h, on_timeout: c }
    routing: [{ to: a }]
  c:
    emit.log: 1
  d:
    emit.log: 1
`

func TestNodesAndRoutesThatNoCaseTookAreListed(t *testing.T) {
	f, err := flow.Compile("t.ygtc", []byte(covered))
	if err != nil {
		t.Fatal(err)
	}
	c := flowtest.NewCoverage(f, "t.ygtc")
	c.Sum()
	if c.Percent() != 0 || len(c.Never) != 4 { // routes of nodes that are not taken go without saying
		t.Errorf("%+v", c)
	}
	at := func(line, col int) flow.Pos { return flow.Pos{Line: line, Col: col} }
	c.Add([]flowtest.Taken{
		{Node: "a", Rule: flow.RuleStart, At: at(4, 3)},
		{Node: "b", Rule: flow.RuleCondition, At: at(8, 11)},
		{Node: "a", Rule: flow.RuleResume, At: at(4, 3)},
		{Node: "a", Rule: flow.RuleDefault, At: at(9, 11), End: true},
	})
	c.Sum()
	var never []string
	for _, n := range c.Never {
		never = append(never, n.What+" "+n.Name)
	}
	if got := strings.Join(never, "; "); got != "node c; node d; route a → b (x == y); route b → c (after 1h)" || c.Routes != (flowtest.Share{Taken: 3, Of: 5}) || c.Percent() != 55 {
		t.Errorf("%s, %+v, %d", got, c.Routes, c.Percent())
	}
	c.Add([]flowtest.Taken{{Node: "b", Rule: flow.RuleCondition, At: at(7, 11)}, {Node: "c", Rule: flow.RuleTimeout, At: at(10, 3)}})
	c.Sum()
	if len(c.Never) != 2 { // d, and the route to b by x == y: the case began at b
		t.Errorf("%+v", c.Never)
	}
}
