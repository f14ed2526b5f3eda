// Package source reads the YAML of a flow into JSON-like values that know where they stand.
//
// What it is: [Read], which gives a [Value] with line, column and JSON pointer of everything in it, or
// findings that say why not. Who calls it: model/flow, and whoever checks or tests flows by position.
// What it refuses to do: anchors, aliases, merge keys and tags, more than one document, and anything
// longer, deeper or with more words than the parser takes in a second; each is a finding with the
// limit. Main types: [Value], [Field], [Finding]. Its promises are tested in source_test.go and, with
// hostile documents, in model/flow.
package source
