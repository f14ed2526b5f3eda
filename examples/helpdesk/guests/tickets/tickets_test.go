package main

import (
	"reflect"
	"strings"
	"testing"

	"greentic.dev/examples/helpdesk/guests/state"
	"greentic.dev/examples/helpdesk/guests/value"
)

func do(t *testing.T, s state.Store, op func(*desk, any) (answer, error), input map[string]any) any {
	t.Helper()
	out, err := serve(s, op, input)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func problem(summary string) map[string]any {
	return map[string]any{"summary": summary, "category": "printer", "priority": "high"}
}

func TestTicketsAreNumberedAndSurvive(t *testing.T) {
	s := state.Memory{}
	for i, want := range []string{"HD-1", "HD-2"} {
		if out := do(t, s, open, problem("no paper")); !strings.HasSuffix(value.Text(out, "text"), want) {
			t.Errorf("ticket %d: %v", i, out)
		}
	}
	do(t, s, closeTicket, map[string]any{"id": "HD-2"})
	if text := value.Text(do(t, s, open, problem("no toner")), "text"); !strings.HasSuffix(text, "HD-3") {
		t.Errorf("a closed number was given again: %q", text)
	}
	want := "{{i18n:tickets.yours}}\nHD-3 {{i18n:status.open}}: no toner\nHD-2 {{i18n:status.closed}}: no paper\nHD-1 {{i18n:status.open}}: no paper"
	if out := do(t, s, list, nil); value.Text(out, "text") != want || value.Text(out, "status") != "some" {
		t.Errorf("list: %v", out)
	}
}

func TestTheStateIsJSONAndReadsBack(t *testing.T) {
	s := state.Memory{}
	do(t, s, open, problem("ä \"quoted\"\nline"))
	text, err := value.ToJSON(s[stateKey])
	if err != nil {
		t.Fatal(err)
	}
	back, err := value.FromJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := load(state.Memory{stateKey: back})
	if d.last != 1 || len(d.tickets) != 1 || d.tickets[0].summary != "ä \"quoted\"\nline" || !d.tickets[0].open {
		t.Errorf("read back %+v", d)
	}
}

func TestAnUnknownTicketIsMissingAndChangesNothing(t *testing.T) {
	s := state.Memory{}
	if out := do(t, s, closeTicket, map[string]any{"id": "HD-9"}); value.Text(out, "status") != "missing" || len(s) != 0 {
		t.Errorf("%v, state %v", out, s)
	}
	if out := do(t, s, list, nil); value.Text(out, "status") != "none" {
		t.Errorf("%v", out)
	}
	if _, err := serve(s, open, map[string]any{}); err == nil {
		t.Error("a ticket without a summary was opened")
	}
}

func TestShowingATicketKeepsItsNumberEvenWhenItIsGone(t *testing.T) {
	s := state.Memory{}
	do(t, s, open, problem("no paper"))
	for id, summary := range map[string]string{"HD-1": "no paper", "HD-9": ""} {
		card := map[string]any{"inline_json": []any{"${summary}"}}
		out := do(t, s, show, map[string]any{"text": "sure?", "id": id, "card_spec": card})
		if value.Text(out, "id") != id || value.Text(out, "text") != "sure? "+id || !reflect.DeepEqual(value.At(out, "renderedCard"), []any{summary}) {
			t.Errorf("%s: %v", id, out)
		}
	}
}

func TestHistoryIsBoundedAndKeepsWhatIsOpen(t *testing.T) {
	s := state.Memory{}
	for range maxTickets {
		do(t, s, open, problem("x"))
	}
	do(t, s, closeTicket, map[string]any{"id": "HD-7"})
	do(t, s, open, problem("x"))
	d, _ := load(s)
	if len(d.tickets) != maxTickets || d.find("HD-7") != nil || d.find("HD-1") == nil {
		t.Errorf("%d tickets, HD-7 %v, HD-1 %v", len(d.tickets), d.find("HD-7"), d.find("HD-1"))
	}
}

func TestACardIsFilledFromItsTemplate(t *testing.T) {
	s := state.Memory{}
	do(t, s, open, problem("one"))
	do(t, s, open, problem("two"))
	do(t, s, closeTicket, map[string]any{"id": "HD-1"})
	template, err := value.FromJSON([]byte(`{"version":"1.5","body":[
		{"type":"TextBlock","text":"{{i18n:title}} ${unknown}!"},
		{"$data":"${tickets}","type":"TextBlock","text":"${id} ${summary}"},
		{"$data":"${tickets}","$when":"${open}","type":"Action.Submit","data":{"action":"close","ticket":"${id}"}},
		{"$when":"${nothing}","type":"Image"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	out := do(t, s, list, map[string]any{"card_spec": map[string]any{"inline_json": template}})
	got, _ := value.ToJSON(value.At(out, "renderedCard"))
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
