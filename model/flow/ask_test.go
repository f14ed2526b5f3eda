package flow_test

import (
	"reflect"
	"testing"

	"greentic.dev/model/flow"
)

const pricing = `id: pricing.default
type: component-config
nodes:
  ask:
    questions:
      fields:
        - { id: rounding, prompt: Decimals, type: int, default: 2 }
        - { id: rate, prompt: Rate, type: number }
        - { id: mode, prompt: Mode, type: choice, options: [net, gross] }
        - { id: why, prompt: Why gross, show_if: { id: mode, equals: gross }, required: false }
    routing: [{ to: make }]
  make:
    template: |
      {"node_id":"pricing","node":{"quote":{"rounding":{{state.rounding}},"rate":{{state.rate}},"mode":"{{state.mode}}"},"routing":[{"to":"NEXT_NODE_PLACEHOLDER"}]}}
`

func TestQuestionsAskOneByOneAndTheTemplateGetsTypedAnswers(t *testing.T) {
	p := newPlayer(t, pricing)
	s := p.start("pricing.default", map[string]any{"input": map[string]any{"text": "start"}})
	if s.Do != flow.DoWait || s.Reason != "rounding" {
		t.Fatalf("%+v", s)
	}
	for _, text := range []string{"two", "", "1,5", "1.5", "other", "Gross"} {
		s = p.play(say(text, ""))
	}
	p.did("pricing.default.ask emit Decimals [2]; pricing.default.ask wait; pricing.default.ask emit A whole number is needed. Decimals [2]; pricing.default.ask wait; " +
		"pricing.default.ask emit Rate; pricing.default.ask wait; pricing.default.ask emit A number is needed. Rate; pricing.default.ask wait; " +
		"pricing.default.ask emit Mode (net, gross); pricing.default.ask wait; pricing.default.ask emit Answer one of net, gross. Mode (net, gross); pricing.default.ask wait; " +
		"pricing.default.ask emit Why gross; pricing.default.ask wait")
	s = p.play(say("-", ""))
	want := map[string]any{"node_id": "pricing", "node": map[string]any{"quote": map[string]any{"rounding": 2.0, "rate": 1.5, "mode": "gross"}, "routing": []any{map[string]any{"to": "NEXT_NODE_PLACEHOLDER"}}}}
	if s.Do != flow.DoEnd || !reflect.DeepEqual(s.Cursor.Prev, want) {
		t.Errorf("%+v", s)
	}
}

func TestAnswersThatComeAlongAreNotAsked(t *testing.T) {
	p := newPlayer(t, pricing)
	s := p.start("pricing.default", map[string]any{"answers": map[string]any{"rate": int64(3), "mode": "net"}})
	p.did("pricing.default.make render; pricing.default.make end")
	if got := s.Cursor.Answers; !reflect.DeepEqual(got, map[string]any{"rounding": 2.0, "rate": 3.0, "mode": "net"}) {
		t.Errorf("answers %v", got)
	}
	s = p.start("pricing.default", map[string]any{"answers": map[string]any{"rate": "much", "mode": "net"}})
	if s.Do != flow.DoWait || s.Reason != "rate" {
		t.Errorf("%+v", s)
	}
	p.did("pricing.default.ask emit Rate: a number is needed. Rate; pricing.default.ask wait")
}

func TestAFormAnswersSeveralQuestions(t *testing.T) {
	p := newPlayer(t, pricing)
	p.start("pricing.default", map[string]any{})
	s := p.play(flow.Got{What: flow.GotInput, Value: map[string]any{"input": map[string]any{"metadata": map[string]any{"rounding": "0", "rate": "2", "mode": "1"}}}})
	if s.Do != flow.DoEnd {
		t.Errorf("%+v", s)
	}
}
