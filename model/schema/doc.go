// Package schema checks JSON-like values against JSON Schema (2020-12, the part that manifests use).
//
// What it is: [Compile] a schema and [Schema.Check] values, some of which may be unknown because a
// template will fill them. Who calls it: flow checks, for the payloads of components. What it
// refuses to do: fetch a $ref, follow one in circles, or judge what it does not know: an unknown
// keyword, a foreign $ref and an unknown value fit. Main types: [Schema], [Problem]. Its promises
// are tested in schema_test.go.
package schema
