package flow_test

import (
	"testing"

	"greentic.dev/model/flow"
)

const order = `id: o
type: messaging
slot_schema:
  - { name: zip, slot_type: string, pattern: '^\d{5}$', required: true }
  - { name: size, slot_type: enum, enum_values: [S, M], default_value: M }
nodes:
  find:
    component.exec: { component: c.find }
    routing: [{ status: error, to: sorry }, { to: ask }]
  ask:
    questions: { fields: [{ id: zip, prompt: Zip }] }
    routing: [{ to: say }]
  say: { emit.response: { text: "{{slots.zip}} {{slots.size}}" } }
  sorry: { emit.response: { text: "{{find.error.message}}" } }
`

func TestOutputsAndAnswersFillSlotsThatFit(t *testing.T) {
	p := newPlayer(t, order)
	p.answer["c.find"] = map[string]any{"slots": map[string]any{"size": "s", "unknown": 1.0}}
	p.start("o", map[string]any{"input": map[string]any{"text": "x"}})
	p.play(say("12", ""))
	if s := p.play(say("10115", "")); s.Do != flow.DoEnd || s.Cursor.Slots["zip"] != "10115" {
		t.Errorf("%+v", s)
	}
	p.did(`o.find invoke; o.ask emit Zip; o.ask wait; o.ask emit Zip is a text that fits ^\d{5}$. Zip; o.ask wait; o.say emit 10115 S; o.say end`)
	p.answer["c.find"] = map[string]any{"slots": map[string]any{"size": "XL"}}
	p.start("o", nil)
	p.did("o.find invoke; o.sorry emit size is one of S, M; o.sorry end")
}
