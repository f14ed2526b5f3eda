package main

import "greentic.dev/sdk/go/greentic"

var component = greentic.Component(greentic.Info{
	ID: "greentic.transform", Version: "0.1.0", Name: "Transform",
	Summary: "Makes a value of another by a jq filter",
	Config:  config{Steps: 1_000_000, Results: 10_000, Bytes: 1 << 20},
},
	greentic.Op("map", apply).Doc("applies a jq filter; value is its first result, status ok, or empty without one").
		Example("the names of the adults", map[string]any{"filter": "[.people[] | select(.age >= 18) | .name]", "input": map[string]any{"people": []any{map[string]any{"name": "Ada", "age": 36}}}},
			map[string]any{"status": "ok", "value": []any{"Ada"}, "count": 1}),
	greentic.Op("check", check).Doc("says whether a filter can be read, and where not"),
)

func main() {}

type config struct {
	Filters map[string]string `json:"filters,omitempty" doc:"named filters"`
	Steps   int               `json:"steps" default:"1000000" min:"1" max:"100000000" doc:"how long a filter may run, in steps of its machine"`
	Results int               `json:"results" default:"10000" min:"1" max:"1000000" doc:"how many results it may give"`
	Bytes   int               `json:"bytes" default:"1048576" min:"1" max:"16777216" doc:"how long the result may be, as JSON"`
}

type source struct {
	Filter string         `json:"filter,omitempty" doc:"the jq filter"`
	Name   string         `json:"name,omitempty" doc:"a filter of the configuration, instead of filter"`
	Vars   map[string]any `json:"vars,omitempty" doc:"what $name is in the filter"`
}

type mapIn struct {
	source
	Input any  `json:"input,omitempty" doc:"what . is"`
	All   bool `json:"all,omitempty" doc:"value is the list of all results"`
}

type mapOut struct {
	Status string `json:"status" doc:"ok or empty"`
	Value  any    `json:"value"`
	Count  int    `json:"count" doc:"of results"`
}

type checkOut struct {
	OK      bool   `json:"ok"`
	Message string `json:"message,omitempty"`
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Excerpt string `json:"excerpt,omitempty"`
}
