package main

import (
	"reflect"
	"strings"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

func do(t *testing.T, ctx *greentic.Context, op string, input map[string]any) map[string]any {
	t.Helper()
	out, err := component.Call(ctx, op, input)
	if err != nil {
		t.Fatal(err)
	}
	return out.(map[string]any)
}

func fresh() *greentic.Context { return greentic.Mock{}.Context() }

func kept(t *testing.T, ctx *greentic.Context) (d desk, found bool) {
	t.Helper()
	found, err := ctx.State().Get(stateKey, &d)
	if err != nil {
		t.Fatal(err)
	}
	return d, found
}

func problem(summary string) map[string]any {
	return map[string]any{"summary": summary, "category": "printer", "priority": "high"}
}

func TestTicketsAreNumberedAndSurvive(t *testing.T) {
	s := fresh()
	for i, want := range []string{"HD-1", "HD-2"} {
		if out := do(t, s, "open", problem("no paper")); !strings.HasSuffix(text(out["text"]), want) {
			t.Errorf("ticket %d: %v", i, out)
		}
	}
	do(t, s, "close", map[string]any{"id": "HD-2"})
	if text := text(do(t, s, "open", problem("no toner"))["text"]); !strings.HasSuffix(text, "HD-3") {
		t.Errorf("a closed number was given again: %q", text)
	}
	want := "{{i18n:tickets.yours}}\nHD-3 {{i18n:status.open}}: no toner\nHD-2 {{i18n:status.closed}}: no paper\nHD-1 {{i18n:status.open}}: no paper"
	if out := do(t, s, "list", nil); text(out["text"]) != want || text(out["status"]) != "some" {
		t.Errorf("list: %v", out)
	}
}

func TestTheStateReadsBackAndItsFormStays(t *testing.T) {
	s := fresh()
	do(t, s, "open", problem("ä \"quoted\"\nline"))
	d, _ := kept(t, s)
	if d.Last != 1 || len(d.Tickets) != 1 || d.Tickets[0].Summary != "ä \"quoted\"\nline" || !d.Tickets[0].Open {
		t.Errorf("read back %+v", d)
	}
	text, err := greentic.EncodeJSON(d)
	want := `{"last":1,"tickets":[{"category":"printer","id":"HD-1","open":true,"priority":"high","summary":"ä \"quoted\"\nline"}]}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

func TestAnUnknownTicketIsMissingAndChangesNothing(t *testing.T) {
	s := fresh()
	if out := do(t, s, "close", map[string]any{"id": "HD-9"}); text(out["status"]) != "missing" {
		t.Errorf("%v", out)
	}
	if d, found := kept(t, s); found {
		t.Errorf("state %v", d)
	}
	if out := do(t, s, "list", nil); text(out["status"]) != "none" {
		t.Errorf("%v", out)
	}
	if _, err := component.Call(s, "open", map[string]any{}); err == nil {
		t.Error("a ticket without a summary was opened")
	}
}

func TestShowingATicketKeepsItsNumberEvenWhenItIsGone(t *testing.T) {
	s := fresh()
	do(t, s, "open", problem("no paper"))
	for id, summary := range map[string]string{"HD-1": "no paper", "HD-9": ""} {
		card := map[string]any{"inline_json": []any{"${summary}"}}
		out := do(t, s, "show", map[string]any{"text": "sure?", "id": id, "card_spec": card})
		if text(out["id"]) != id || text(out["text"]) != "sure? "+id || !reflect.DeepEqual(out["renderedCard"], []any{summary}) {
			t.Errorf("%s: %v", id, out)
		}
	}
}

func TestHistoryIsBoundedAndKeepsWhatIsOpen(t *testing.T) {
	s := fresh()
	for range maxTickets {
		do(t, s, "open", problem("x"))
	}
	do(t, s, "close", map[string]any{"id": "HD-7"})
	do(t, s, "open", problem("x"))
	d, _ := kept(t, s)
	if len(d.Tickets) != maxTickets || d.find("HD-7") != nil || d.find("HD-1") == nil {
		t.Errorf("%d tickets, HD-7 %v, HD-1 %v", len(d.Tickets), d.find("HD-7"), d.find("HD-1"))
	}
}

func TestACardIsFilledFromItsTemplate(t *testing.T) {
	s := fresh()
	do(t, s, "open", problem("one"))
	do(t, s, "open", problem("two"))
	do(t, s, "close", map[string]any{"id": "HD-1"})
	var template any
	err := greentic.DecodeJSON([]byte(`{"version":"1.5","body":[
		{"type":"TextBlock","text":"{{i18n:title}} ${unknown}!"},
		{"$data":"${tickets}","type":"TextBlock","text":"${id} ${summary}"},
		{"$data":"${tickets}","$when":"${open}","type":"Action.Submit","data":{"action":"close","ticket":"${id}"}},
		{"$when":"${nothing}","type":"Image"}]}`), &template)
	if err != nil {
		t.Fatal(err)
	}
	out := do(t, s, "list", map[string]any{"card_spec": map[string]any{"inline_json": template}})
	got, _ := greentic.EncodeJSON(out["renderedCard"])
	want := `{"body":[{"text":"{{i18n:title}} !","type":"TextBlock"},` +
		`{"text":"HD-2 two","type":"TextBlock"},{"text":"HD-1 one","type":"TextBlock"},` +
		`{"data":{"action":"close","ticket":"HD-2"},"type":"Action.Submit"}],"version":"1.5"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUserTextIsNotATemplate(t *testing.T) {
	got := fill([]any{"${summary}", "${open"}, map[string]any{"summary": "${id}", "id": "secret"})
	if !reflect.DeepEqual(got, []any{"${id}", "${open"}) {
		t.Errorf("got %v", got)
	}
}
