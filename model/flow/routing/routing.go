package routing

import (
	"encoding/json"
	"slices"

	"greentic.dev/model/flow/source"
)

// Pos is a place in the source of a flow.
type Pos = source.Pos

// Form is which of the routing variants a node has.
type Form uint8

// The routing variants of formats digest 1.3.
const (
	End Form = iota
	Reply
	Next
	Branch
	Custom
)

// Routing says where to go after a node.
type Routing struct {
	Form    Form
	To      string            // Next
	Status  map[string]string // Branch: status -> node id
	Default string            // Branch: node id or ""
	Routes  []Route           // Custom, in order
	Raw     json.RawMessage   // Custom: the array as it was written, preserved

	places map[string]Pos // Next and Branch: where the route for a status stands; "" is the other one
}

// Route is one item of a routing array; Next is folded into To.
type Route struct {
	To        string `json:"to,omitempty"`
	Out       bool   `json:"out,omitempty"`
	Reply     bool   `json:"reply,omitempty"`
	Status    string `json:"status,omitempty"`
	Condition string `json:"condition,omitempty"`
	Pos       Pos    `json:"-"`
}

// Arrange picks the routing variant of a list of routes; raw is the list as it was written.
func Arrange(routes []Route, raw []any) Routing {
	custom := Routing{Form: Custom, Routes: routes}
	custom.Raw, _ = json.Marshal(raw) // JSON-like by construction
	if slices.ContainsFunc(routes, func(r Route) bool { return r.Condition != "" }) {
		return custom
	}
	switch len(routes) {
	case 0:
		return Routing{}
	case 1:
		switch r := routes[0]; {
		case r.Reply:
			return Routing{Form: Reply}
		case r.Status != "":
			return custom
		case r.Out:
			return Routing{}
		case r.To != "":
			return Routing{Form: Next, To: r.To, places: map[string]Pos{"": r.Pos}}
		}
		return custom
	}
	branch := Routing{Form: Branch, Status: map[string]string{}, places: map[string]Pos{}}
	for _, r := range routes {
		branch.places[r.Status] = r.Pos
		switch {
		case r.Reply || r.Out || r.To == "":
			return custom
		case r.Status != "":
			branch.Status[r.Status] = r.To
		default:
			branch.Default = r.To
		}
	}
	return branch
}

// Unconditional says that the route has neither condition nor status.
func (r Route) Unconditional() bool { return r.Condition == "" && r.Status == "" }

// Fallback is the index of the first route without condition and status, or -1.
func (r Routing) Fallback() int {
	for i, route := range r.Routes {
		if route.Unconditional() {
			return i
		}
	}
	return -1
}

// PlaceOr is where the route for a status stands, or otherwise.
func (r Routing) PlaceOr(status string, otherwise Pos) Pos {
	if p := r.places[status]; p.Line > 0 {
		return p
	}
	return otherwise
}

// PlaceOr is where the route stands, or otherwise.
func (r Route) PlaceOr(otherwise Pos) Pos {
	if r.Pos.Line > 0 {
		return r.Pos
	}
	return otherwise
}

// Place is where the route for a status stands, "" meaning the one without; zero when it is unknown.
func (r Routing) Place(status string) Pos { return r.places[status] }
