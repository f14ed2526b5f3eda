package main

import (
	"greentic.dev/examples/helpdesk/guests/guest"
	"greentic.dev/examples/helpdesk/guests/value"
)

// A reactor has no main; the node is set when the runtime starts.
func init() {
	text := guest.Of("string")
	guest.Serve(&guest.Node{
		Name:    "helpdesk.triage",
		Version: "0.1.0",
		Summary: "Reads a problem and says what it is about and how urgent it is",
		Ops: []guest.Op{{
			Name:    "classify",
			Summary: "text to category, priority and summary; status is urgent, normal or empty",
			Input:   guest.Object(map[string]any{"text": text}, "text"),
			Output: guest.Object(map[string]any{"category": text, "priority": text, "summary": text, "status": text},
				"category", "priority", "summary", "status"),
			Run: run,
		}},
	})
}

func main() {}

func run(c *guest.Call) (any, error) {
	t := classify(value.Text(c.Input, "text"))
	status := "normal"
	switch {
	case t.summary == "":
		status = "empty"
	case t.priority == "high":
		status = "urgent"
	}
	return map[string]any{"category": t.category, "priority": t.priority, "summary": t.summary, "status": status}, nil
}
