// Package schema checks plain values against a JSON Schema.
//
// What it is: a thin front of a JSON Schema library (drafts 4 to 2020-12), with problems said in words a
// person or a language model can act on. Who calls it: the component llm, for structured answers. What it refuses to do: load a schema from anywhere; run a pattern that is not RE2. Main
// types: [Schema]. Tested in schema_test.go.
package schema
