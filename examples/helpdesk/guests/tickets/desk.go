package main

import (
	"maps"
	"strconv"
)

const (
	stateKey   = "helpdesk"
	maxTickets = 50 // the oldest closed tickets make room
)

// ticket is one problem.
type ticket struct {
	ID, Summary, Category, Priority string
	Open                            bool
}

// desk is everything the component remembers; tickets are oldest first.
type desk struct {
	Last    int64 // number of the newest ticket
	Tickets []ticket
	changed bool
}

// answer is what an operation says: a text, what the text adds when there is no card, a status
// to route by, and the values for the card.
type answer struct {
	text, plain, status string
	values              map[string]any
}

// waiting is how many tickets are open.
func (d *desk) waiting() int {
	n := 0
	for _, t := range d.Tickets {
		if t.Open {
			n++
		}
	}
	return n
}

func (d *desk) find(id string) *ticket {
	for i := range d.Tickets {
		if d.Tickets[i].ID == id {
			return &d.Tickets[i]
		}
	}
	return nil
}

// trim forgets the oldest closed tickets beyond the limit; when all are open, the oldest.
func (d *desk) trim() {
	for len(d.Tickets) > maxTickets {
		drop := 0
		for i, t := range d.Tickets {
			if !t.Open {
				drop = i
				break
			}
		}
		d.Tickets = append(d.Tickets[:drop], d.Tickets[drop+1:]...)
	}
}

// values of a ticket for a card.
func (t *ticket) values() map[string]any {
	status := "closed"
	if t.Open {
		status = "open"
	}
	return map[string]any{
		"id": t.ID, "summary": t.Summary,
		"category": "{{i18n:category." + t.Category + "}}",
		"priority": "{{i18n:priority." + t.Priority + "}}",
		"status":   "{{i18n:status." + status + "}}",
		"open":     t.Open,
	}
}

type showIn struct {
	card
	Text string `json:"text,omitempty"`
	ID   string `json:"id,omitempty"`
}

// show fills a card with the desk and, when there is an id, with that ticket.
func show(d *desk, in showIn) (answer, error) {
	values := map[string]any{"waiting": d.waiting()}
	if in.ID == "" {
		return answer{text: in.Text, status: "shown", values: values}, nil
	}
	values["id"] = in.ID
	if t := d.find(in.ID); t != nil {
		maps.Copy(values, t.values())
	}
	return answer{text: in.Text + " " + in.ID, status: "shown", values: values}, nil
}

type openIn struct {
	card
	Summary  string `json:"summary" min:"1"`
	Category string `json:"category,omitempty"`
	Priority string `json:"priority,omitempty"`
}

func open(d *desk, in openIn) (answer, error) {
	t := ticket{Summary: in.Summary, Category: in.Category, Priority: in.Priority, Open: true}
	if t.Category == "" {
		t.Category = "other"
	}
	if t.Priority == "" {
		t.Priority = "normal"
	}
	d.Last++
	t.ID = "HD-" + strconv.FormatInt(d.Last, 10)
	d.Tickets = append(d.Tickets, t)
	d.trim()
	d.changed = true
	return answer{text: "{{i18n:ticket.opened}} " + t.ID, status: "opened", values: t.values()}, nil
}

type listIn struct{ card }

func list(d *desk, _ listIn) (answer, error) {
	items, plain := []any{}, ""
	for i := len(d.Tickets) - 1; i >= 0; i-- {
		v := d.Tickets[i].values()
		items = append(items, v)
		plain += "\n" + text(v["id"]) + " " + text(v["status"]) + ": " + text(v["summary"])
	}
	if len(items) == 0 {
		return answer{text: "{{i18n:tickets.none}}", status: "none", values: map[string]any{"tickets": items}}, nil
	}
	return answer{text: "{{i18n:tickets.yours}}", plain: plain, status: "some", values: map[string]any{"tickets": items}}, nil
}

type closeIn struct {
	card
	ID string `json:"id"`
}

func closeTicket(d *desk, in closeIn) (answer, error) {
	t := d.find(in.ID)
	if t == nil {
		return answer{text: "{{i18n:ticket.missing}} " + in.ID, status: "missing", values: map[string]any{"id": in.ID}}, nil
	}
	t.Open, d.changed = false, true
	return answer{text: "{{i18n:ticket.closed}} " + t.ID, status: "closed", values: t.values()}, nil
}
