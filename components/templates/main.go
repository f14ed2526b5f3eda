package main

import "greentic.dev/sdk/go/greentic"

var component = greentic.Component(greentic.Info{
	ID: "greentic.templates", Version: "0.1.0", Name: "Templates",
	Summary: "Renders texts and values from templates, in the template language of flows",
	Config:  config{},
},
	greentic.Op("text", text).Doc("renders a template to a text").
		Example("a greeting", map[string]any{"template": "Hello {{name}}", "data": map[string]any{"name": "Ada"}}, map[string]any{"text": "Hello Ada"}),
	greentic.Op("value", value).Doc("fills a value whose strings are templates; a string that is one {{path}} keeps the type of what is there").
		Example("a typed value", map[string]any{"value": map[string]any{"total": "{{n}}"}, "data": map[string]any{"n": 3}}, map[string]any{"value": map[string]any{"total": 3}}),
	greentic.Op("check", check).Doc("says whether a template can be read, and what it looks at"),
)

func main() {}
