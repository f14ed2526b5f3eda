package main

import "greentic.dev/sdk/go/greentic"

var component = greentic.Component(greentic.Info{
	ID: "helpdesk.tickets", Version: "0.1.0", Name: "Helpdesk tickets", Supports: []string{"messaging"}, MemoryMB: 32, WallMS: 1000,
	Summary: "Keeps tickets and shows them as cards",
},
	greentic.Op("show", on(show)).Doc("the given card, filled; with an id, that ticket on it"),
	greentic.Op("open", on(open)).Doc("keeps a new ticket"),
	greentic.Op("list", on(list)).Doc("the tickets, newest first; status is some or none"),
	greentic.Op("close", on(closeTicket)).Doc("closes the ticket id; status is closed or missing"),
)

func main() {}

// card is how a flow hands a card to any operation; the host puts an asset in its place.
type card struct {
	Source string `json:"card_source,omitempty" enum:"asset,inline"`
	Spec   struct {
		Inline any `json:"inline_json,omitempty"`
	} `json:"card_spec,omitempty"`
}

func (c card) template() any { return c.Spec.Inline }

type input interface{ template() any }

type output struct {
	Text   string `json:"text"`
	Status string `json:"status"`
	ID     string `json:"id,omitempty"`
	Card   any    `json:"renderedCard,omitempty"`
}

// on gives an operation the desk as it was left and keeps what changed.
func on[In input](op func(d *desk, in In) (answer, error)) func(*greentic.Context, In) (output, error) {
	return func(ctx *greentic.Context, in In) (output, error) {
		d := &desk{}
		if _, err := ctx.State().Get(stateKey, d); err != nil {
			return output{}, err
		}
		a, err := op(d, in)
		if err != nil {
			return output{}, err
		}
		if d.changed {
			if err := ctx.State().Set(stateKey, d); err != nil {
				return output{}, err
			}
		}
		out := output{Text: a.text, Status: a.status, ID: text(a.values["id"])}
		if template := in.template(); template != nil {
			out.Card = fill(template, a.values)
		} else {
			out.Text = a.text + a.plain
		}
		return out, nil
	}
}
