package flow_test

import (
	"reflect"
	"testing"

	"greentic.dev/model/flow"
)

const notify = `id: n
type: event
nodes:
  send:
    provider.invoke:
      provider_type: messaging.slack.api
      op: send
      input: { order: 7, note: "{{entry.note}}" }
      in_map: { text: "Order {{input.order}}: {{input.note}}", by: "/entry/user/name", all: "/input" }
      out_map: { id: "/result/message/id", order: "{{input.text}}" }
      err_map: { why: "/error/code" }
    routing: [{ to: say }]
  say:
    emit.log: { a: "{{send}}" }
`

func TestAProviderGetsAndGivesWhatItsMapsSay(t *testing.T) {
	f := compile(t, notify)
	s := next(t, f, f.Start(map[string]any{"note": "rush", "user": map[string]any{"name": "Ann"}}), flow.Got{})
	input := map[string]any{"order": int64(7), "note": "rush"}
	want := map[string]any{"text": "Order 7: rush", "by": "Ann", "all": input}
	if s.Do != flow.DoInvoke || s.ProviderType != "messaging.slack.api" || s.Operation != "send" || !reflect.DeepEqual(s.Input, want) {
		t.Fatalf("%+v", s)
	}
	done := next(t, f, s.Cursor, output(map[string]any{"message": map[string]any{"id": "m1"}}))
	if got := done.Cursor.Nodes["send"].Payload; !reflect.DeepEqual(got, map[string]any{"id": "m1", "order": "Order 7: rush"}) {
		t.Errorf("out_map gives %v", got)
	}
	failed := next(t, f, s.Cursor, flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: "busy"}})
	if got := failed.Cursor.Nodes["send"].Payload; !reflect.DeepEqual(got, map[string]any{"why": "busy"}) {
		t.Errorf("err_map gives %v", got)
	}
	for src, code := range map[string]string{"{ op: send }": "provider_missing", "{ provider_id: x }": "operation_missing"} {
		f := compile(t, "id: n\ntype: event\nnodes:\n  x:\n    provider.invoke: "+src+"\n")
		if s := next(t, f, f.Start(nil), flow.Got{}); s.Do != flow.DoFail || s.Fail.Code != code {
			t.Errorf("%s: %+v", src, s.Fail)
		}
	}
}

func TestPartialsOfAFlowAreIncludedAlsoFromItsPack(t *testing.T) {
	f := compile(t, "id: p\ntype: messaging\nmeta:\n  greentic: { partials: { sign: 'Yours, {{entry.who}}' } }\nnodes:\n  x:\n    emit.response: { text: 'Hi. {{> sign}}' }\n")
	again, err := flow.FromManifest(f.Manifest())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []*flow.Flow{f, again} {
		if s := next(t, one, one.Start(map[string]any{"who": "Ann"}), flow.Got{}); !reflect.DeepEqual(s.Payload, map[string]any{"text": "Hi. Yours, Ann"}) {
			t.Errorf("%+v", s.Payload)
		}
	}
	if _, found := flow.Check("p", []byte("id: p\ntype: messaging\nmeta: { greentic: { bindings_hints: {}, partials: { a: 1 } } }\nnodes: { x: { emit.log: 1 } }\n")); len(found.Errors()) != 1 {
		t.Errorf("found %v", found)
	}
}
