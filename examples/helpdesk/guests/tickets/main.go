package main

import (
	"maps"

	"greentic.dev/examples/helpdesk/guests/guest"
	"greentic.dev/examples/helpdesk/guests/state"
	"greentic.dev/examples/helpdesk/guests/value"
)

// A reactor has no main; the node is set when the runtime starts.
func init() {
	text := guest.Of("string")
	card := map[string]any{"card_source": text, "card_spec": guest.Object(nil)}
	with := func(more ...string) map[string]any {
		all := maps.Clone(card)
		for _, name := range more {
			all[name] = text
		}
		return guest.Object(all, more...)
	}
	answer := guest.Object(map[string]any{"text": text, "status": text, "id": text, "renderedCard": guest.Object(nil)}, "text", "status")
	guest.Serve(&guest.Node{
		Name:         "helpdesk.tickets",
		Version:      "0.1.0",
		Summary:      "Keeps tickets and shows them as cards",
		Capabilities: []string{"host:state:read", "host:state:write"},
		Ops: []guest.Op{
			{Name: "show", Summary: "the given card, filled; with an id, that ticket on it", Input: with(), Output: answer, Run: on(show)},
			{Name: "open", Summary: "keeps a new ticket", Input: with("summary", "category", "priority"), Output: answer, Run: on(open)},
			{Name: "list", Summary: "the tickets, newest first; status is some or none", Input: with(), Output: answer, Run: on(list)},
			{Name: "close", Summary: "closes the ticket id; status is closed or missing", Input: with("id"), Output: answer, Run: on(closeTicket)},
		},
	})
}

func main() {}

// on gives an operation the desk as it was left and keeps what changed.
func on(op func(d *desk, input any) (answer, error)) func(*guest.Call) (any, error) {
	return func(c *guest.Call) (any, error) { return serve(state.Host(), op, c.Input) }
}

func serve(store state.Store, op func(*desk, any) (answer, error), input any) (any, error) {
	d, err := load(store)
	if err != nil {
		return nil, err
	}
	a, err := op(d, input)
	if err != nil {
		return nil, err
	}
	if d.changed {
		if err := d.save(store); err != nil {
			return nil, err
		}
	}
	out := map[string]any{"text": a.text, "status": a.status}
	if id := value.Text(a.values, "id"); id != "" {
		out["id"] = id
	}
	if template := value.At(input, "card_spec", "inline_json"); template != nil {
		out["renderedCard"] = fill(template, a.values)
	} else {
		out["text"] = a.text + a.plain
	}
	return out, nil
}
