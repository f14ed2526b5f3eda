// Package components is the module of the component library: guests that are built with our SDK.
//
// What it is: nothing to import; every folder with a component.manifest.json is a component, the others
// (web, chat, schema) are what several of them share. Who calls it: flows, through the .wasm checked in
// beside the sources. What it refuses to do: write a second implementation of what the platform's pure
// packages have: templates are those of model/flow/expr, cards those of model/card (docs/decisions/0035).
// Each component has its tests and a README of its own.
package components
