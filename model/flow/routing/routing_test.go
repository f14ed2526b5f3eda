package routing_test

import (
	"testing"

	"greentic.dev/model/flow/routing"
)

func TestARoutingComesBackFromItsDocument(t *testing.T) {
	for _, r := range []routing.Routing{
		{}, {Form: routing.Reply}, {Form: routing.Next, To: "a"}, {Form: routing.Branch, Status: map[string]string{"ok": "a"}, Default: "b"},
		routing.Arrange([]routing.Route{{Condition: "a == b", To: "x"}, {Out: true}}, []any{map[string]any{"condition": "a == b", "to": "x"}, map[string]any{"out": true}}),
	} {
		again, err := routing.Read(r.Document())
		if err != nil || again.Form != r.Form || again.To != r.To || again.Default != r.Default || len(again.Routes) != len(r.Routes) || len(again.Status) != len(r.Status) {
			t.Errorf("%+v reads back as %+v, %v", r, again, err)
		}
	}
	if _, err := routing.Read(map[string]any{"Sideways": 1}); err == nil {
		t.Error("an unknown form is read")
	}
}

func TestPlacesOfRoutesComeBack(t *testing.T) {
	r := routing.Arrange([]routing.Route{{Status: "ok", To: "a", Pos: routing.Pos{Line: 3, Col: 9}}, {To: "b", Pos: routing.Pos{Line: 4, Col: 9}}}, nil)
	again, err := routing.Read(r.Document())
	if err != nil {
		t.Fatal(err)
	}
	again.RestorePlaces(r.SavePlaces())
	if again.Place("ok") != (routing.Pos{Line: 3, Col: 9}) || again.PlaceOr("", routing.Pos{}) != (routing.Pos{Line: 4, Col: 9}) || again.PlaceOr("gone", routing.Pos{Line: 1}).Line != 1 {
		t.Errorf("places %+v", again)
	}
}
