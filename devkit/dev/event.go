package dev

import (
	"time"

	"greentic.dev/greentic"
	"greentic.dev/runtime/operate"
)

// Kinds of events.
const (
	KindState  = "state"  // the folder was looked at; State is filled in
	KindTurn   = "turn"   // a turn has committed; Turn is filled in
	KindFollow = "follow" // a conversation met a new version; Follow is filled in
)

// Event is one thing that happened, as the terminal, --json and the page show it.
type Event struct {
	Kind   string            `json:"kind"`
	At     time.Time         `json:"at"`
	State  *State            `json:"state,omitempty"`
	Turn   *Turn             `json:"turn,omitempty"`
	Follow *operate.Followed `json:"follow,omitempty"`
}

// Phases of the loop.
const (
	Building = "building" // a save is being worked on
	Ready    = "ready"    // what is in the folder is served
	Broken   = "broken"   // the folder has errors; what was good before is served
)

// State is how the folder stands.
type State struct {
	Phase    string          `json:"phase"`
	Pack     string          `json:"pack,omitempty"` // served; empty: nothing yet
	Version  string          `json:"version,omitempty"`
	Release  greentic.Digest `json:"release,omitempty"`
	Changed  []string        `json:"changed,omitempty"` // what was saved
	Rebuilt  []string        `json:"rebuilt,omitempty"` // components that were built from their sources
	TookMS   int64           `json:"took_ms"`
	Fixed    bool            `json:"fixed,omitempty"` // it was broken before
	Problems []Problem       `json:"problems"`
}

// Problem is an error or a warning with its place.
type Problem struct {
	Severity string `json:"severity"` // "error" or "warning"
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Col      int    `json:"col,omitempty"`
	Excerpt  string `json:"excerpt,omitempty"`
	Fix      string `json:"fix,omitempty"`
}

// Turn is a turn that has committed; its record says the rest.
type Turn struct {
	Session    string          `json:"session"`
	Turn       string          `json:"turn"`
	Status     string          `json:"status"`
	Flow       string          `json:"flow,omitempty"`
	Release    greentic.Digest `json:"release,omitempty"`
	Steps      int             `json:"steps"`
	DurationMS float64         `json:"duration_ms"`
	Error      string          `json:"error,omitempty"`
}

// failing says whether one of the problems is an error.
func failing(list []Problem) bool {
	for _, p := range list {
		if p.Severity == "error" {
			return true
		}
	}
	return false
}
