// Package component says what a component is: its manifest, its capabilities, its description
// of itself.
//
// What it is: the language of component.manifest.json (formats digest 2.1), of the compiled
// form in pack manifests and of describe() documents (2.7). Who calls it: build when it makes
// packs, model/pack when it reads them, runtime/host for declared capabilities. What it refuses
// to do: run anything, read files, accept unknown keys in a source manifest. Main types:
// [Manifest], [Compiled], [Capabilities], [Description]. Its promises are tested in
// component_test.go and fuzzed by FuzzParse.
package component
