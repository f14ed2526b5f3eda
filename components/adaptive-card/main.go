package main

import "greentic.dev/sdk/go/greentic"

var component = greentic.Component(greentic.Info{
	ID: "greentic.adaptive-card", Version: "0.1.0", Name: "Adaptive card",
	Summary: "Fills, checks and translates Adaptive Cards",
	Config:  config{ValidationMode: "warn"},
},
	greentic.Op("card", render).Doc("fills a card with data and texts, and checks it"),
	greentic.Op("validate", validate).Doc("checks a card; status is ok or invalid"),
	greentic.Op("localise", localise).Doc("translates a card and leaves everything else"),
)

func main() {}

type config struct {
	ValidationMode string `json:"validation_mode" enum:"off,warn,error" default:"warn" doc:"what to do about a card that is wrong: nothing, name it, or fail"`
	Version        string `json:"version,omitempty" doc:"the newest version the channel shows, such as 1.3; newer elements are named"`
}
