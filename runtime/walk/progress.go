package walk

import (
	"fmt"

	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
)

// Progress is how far a walk got: what has happened is not done again.
type Progress struct {
	Cursor   flow.Cursor        `json:"cursor"`
	Got      flow.Got           `json:"got"`
	Outputs  []card.Output      `json:"outputs,omitempty"`
	Events   []greentic.Event   `json:"events,omitempty"`
	Kept     Said               `json:"kept,omitzero"`
	State    map[string]*[]byte `json:"state,omitempty"`
	Trail    []record.Step      `json:"trail,omitempty"`
	Branches []*Progress        `json:"branches,omitempty"` // of the fork that Cursor and Got lead to
	Result   *flow.Branched     `json:"result,omitempty"`   // of a branch that has ended
	Steps    int                `json:"steps,omitempty"`    // with Result: nodes executed
}

// Said is what compensations of a called flow or a branch said: it stays when the turn fails.
type Said struct {
	Outputs []card.Output    `json:"outputs,omitempty"`
	Events  []greentic.Event `json:"events,omitempty"`
}

// Progress is how far the walk got. It shares what it holds with the walk.
func (w *Walk) Progress() Progress {
	return Progress{Cursor: w.Cursor, Got: w.Got, Outputs: w.Outputs, Events: w.Events, Kept: w.kept, State: w.Overlay.Writes(), Trail: w.Trail, Branches: w.branches}
}

// Restore goes back to where a walk got.
func (w *Walk) Restore(p Progress) {
	w.Cursor, w.Got, w.Outputs, w.Events, w.kept, w.Trail, w.branches = p.Cursor, p.Got, p.Outputs, p.Events, p.Kept, p.Trail, p.Branches
	w.Undoing = p.Cursor.Failure != nil && p.Cursor.Caller == nil
	w.Overlay.Restore(p.State)
}

// numbered gives events of a branch the ids they have in the whole turn, of which there are n so far.
func (w *Walk) numbered(n int, events []greentic.Event) []greentic.Event {
	for i := range events {
		events[i].ID = w.eventID(n + i)
	}
	return events
}

func (w *Walk) eventID(n int) string {
	return fmt.Sprintf("%s-e%d", w.Entry.Turn, w.Entry.Said+n)
}
