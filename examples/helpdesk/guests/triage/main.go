package main

import "greentic.dev/sdk/go/greentic"

type problem struct {
	Text string `json:"text,omitempty" doc:"what the user wrote"`
}

type finding struct {
	Category string `json:"category"`
	Priority string `json:"priority"`
	Summary  string `json:"summary"`
	Status   string `json:"status" enum:"urgent,normal,empty"`
}

var component = greentic.Component(greentic.Info{
	ID: "helpdesk.triage", Version: "0.1.0", Name: "Helpdesk triage", Supports: []string{"messaging"}, MemoryMB: 32, WallMS: 1000,
	Summary: "Reads a problem and says what it is about and how urgent it is",
}, greentic.Op("classify", run).Doc("text to category, priority and summary; status is urgent, normal or empty"))

func main() {}

func run(_ *greentic.Context, in problem) (finding, error) {
	t := classify(in.Text)
	status := "normal"
	switch {
	case t.summary == "":
		status = "empty"
	case t.priority == "high":
		status = "urgent"
	}
	return finding{t.category, t.priority, t.summary, status}, nil
}
