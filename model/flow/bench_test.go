package flow_test

import (
	"encoding/json"
	"testing"

	"greentic.dev/model/flow"
)

const twoNodes = `id: two
type: messaging
nodes:
  ask:
    component.exec: { component: desk.greeter, operation: hi, input: { text: "{{entry.input.text}}", from: "{{in.input.from}}" } }
    routing: [{ to: answer }]
  answer:
    emit.response: { text: "Hello {{ask.name}}, you said {{in.input.text}}" }
    routing: out
`

// BenchmarkNext is a turn of two nodes, a call and an answer: three steps, without I/O.
func BenchmarkNext(b *testing.B) {
	f, err := flow.Compile("two.ygtc", []byte(twoNodes))
	if err != nil {
		b.Fatal(err)
	}
	input := map[string]any{"input": map[string]any{"text": "hello", "from": "ann", "metadata": map[string]any{"locale": "en"}}, "tenant": "demo"}
	answer := map[string]any{"name": "Ann", "ok": true}
	b.ReportAllocs()
	for b.Loop() {
		step, _ := f.Next(f.Start(input), flow.Got{What: flow.GotStart})
		step, _ = f.Next(step.Cursor, flow.Got{What: flow.GotOutput, Value: answer})
		step, err = f.Next(step.Cursor, flow.Got{What: flow.GotOutput, Value: step.Payload})
		if err != nil || step.Do != flow.DoEnd {
			b.Fatalf("%+v %v", step, err)
		}
	}
}

// BenchmarkCursor is what it costs to store and load a parked cursor of two nodes.
func BenchmarkCursor(b *testing.B) {
	c := flow.Cursor{Flow: "two", Node: "answer", Parked: true, Steps: 1, Limit: 200, Last: "ask", Prev: map[string]any{"name": "Ann"},
		Entry: map[string]any{"input": map[string]any{"text": "hello"}}, Input: map[string]any{"input": map[string]any{"text": "hello"}},
		Nodes: map[string]flow.Output{"ask": {OK: true, Payload: map[string]any{"name": "Ann"}}}}
	b.ReportAllocs()
	for b.Loop() {
		raw, err := json.Marshal(c)
		var back flow.Cursor
		if err == nil {
			err = json.Unmarshal(raw, &back)
		}
		if err != nil || back.Node != c.Node {
			b.Fatalf("%+v %v", back, err)
		}
	}
}
