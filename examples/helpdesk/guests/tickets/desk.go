package main

import (
	"maps"
	"strconv"

	"greentic.dev/examples/helpdesk/guests/guest"
	"greentic.dev/examples/helpdesk/guests/state"
	"greentic.dev/examples/helpdesk/guests/value"
)

const (
	stateKey   = "helpdesk"
	maxTickets = 50 // the oldest closed tickets make room
)

// ticket is one problem.
type ticket struct {
	id, summary, category, priority string
	open                            bool
}

// desk is everything the component remembers; tickets are oldest first.
type desk struct {
	last    int64 // number of the newest ticket
	tickets []ticket
	changed bool
}

// answer is what an operation says: a text, what the text adds when there is no card, a status
// to route by, and the values for the card.
type answer struct {
	text, plain, status string
	values              map[string]any
}

func load(store state.Store) (*desk, error) {
	v, err := store.Read(stateKey)
	if err != nil {
		return nil, err
	}
	d := &desk{last: value.Int(v, "last")}
	for _, t := range value.List(v, "tickets") {
		d.tickets = append(d.tickets, ticket{
			id: value.Text(t, "id"), summary: value.Text(t, "summary"), category: value.Text(t, "category"),
			priority: value.Text(t, "priority"), open: value.At(t, "open") == true,
		})
	}
	return d, nil
}

func (d *desk) save(store state.Store) error {
	all := make([]any, 0, len(d.tickets))
	for _, t := range d.tickets {
		all = append(all, map[string]any{"id": t.id, "summary": t.summary, "category": t.category, "priority": t.priority, "open": t.open})
	}
	return store.Write(stateKey, map[string]any{"last": d.last, "tickets": all})
}

// waiting is how many tickets are open.
func (d *desk) waiting() int {
	n := 0
	for _, t := range d.tickets {
		if t.open {
			n++
		}
	}
	return n
}

func (d *desk) find(id string) *ticket {
	for i := range d.tickets {
		if d.tickets[i].id == id {
			return &d.tickets[i]
		}
	}
	return nil
}

// trim forgets the oldest closed tickets beyond the limit; when all are open, the oldest.
func (d *desk) trim() {
	for len(d.tickets) > maxTickets {
		drop := 0
		for i, t := range d.tickets {
			if !t.open {
				drop = i
				break
			}
		}
		d.tickets = append(d.tickets[:drop], d.tickets[drop+1:]...)
	}
}

// values of a ticket for a card.
func (t *ticket) values() map[string]any {
	status := "closed"
	if t.open {
		status = "open"
	}
	return map[string]any{
		"id": t.id, "summary": t.summary,
		"category": "{{i18n:category." + t.category + "}}",
		"priority": "{{i18n:priority." + t.priority + "}}",
		"status":   "{{i18n:status." + status + "}}",
		"open":     t.open,
	}
}

// show fills a card with the desk and, when there is an id, with that ticket.
func show(d *desk, input any) (answer, error) {
	values := map[string]any{"waiting": d.waiting()}
	text, id := value.Text(input, "text"), value.Text(input, "id")
	if id == "" {
		return answer{text: text, status: "shown", values: values}, nil
	}
	values["id"] = id
	if t := d.find(id); t != nil {
		maps.Copy(values, t.values())
	}
	return answer{text: text + " " + id, status: "shown", values: values}, nil
}

func open(d *desk, input any) (answer, error) {
	t := ticket{summary: value.Text(input, "summary"), category: value.Text(input, "category"), priority: value.Text(input, "priority"), open: true}
	if t.summary == "" {
		return answer{}, &guest.Fail{Code: "invalid_input", Message: "open needs a summary"}
	}
	if t.category == "" {
		t.category = "other"
	}
	if t.priority == "" {
		t.priority = "normal"
	}
	d.last++
	t.id = "HD-" + strconv.FormatInt(d.last, 10)
	d.tickets = append(d.tickets, t)
	d.trim()
	d.changed = true
	return answer{text: "{{i18n:ticket.opened}} " + t.id, status: "opened", values: t.values()}, nil
}

func list(d *desk, _ any) (answer, error) {
	items, plain := []any{}, ""
	for i := len(d.tickets) - 1; i >= 0; i-- {
		v := d.tickets[i].values()
		items = append(items, v)
		plain += "\n" + value.Text(v, "id") + " " + value.Text(v, "status") + ": " + value.Text(v, "summary")
	}
	if len(items) == 0 {
		return answer{text: "{{i18n:tickets.none}}", status: "none", values: map[string]any{"tickets": items}}, nil
	}
	return answer{text: "{{i18n:tickets.yours}}", plain: plain, status: "some", values: map[string]any{"tickets": items}}, nil
}

func closeTicket(d *desk, input any) (answer, error) {
	id := value.Text(input, "id")
	t := d.find(id)
	if t == nil {
		return answer{text: "{{i18n:ticket.missing}} " + id, status: "missing", values: map[string]any{"id": id}}, nil
	}
	t.open, d.changed = false, true
	return answer{text: "{{i18n:ticket.closed}} " + t.id, status: "closed", values: t.values()}, nil
}
