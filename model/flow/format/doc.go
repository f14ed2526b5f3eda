// Package format gives the source of a flow its canonical form: order of keys, indentation, blank
// lines.
//
// What it is: [Source], which moves whole lines with the comments that belong to them and leaves
// every value as it was written. Who calls it: `greentic flow fmt` and editors. What it refuses to do:
// change what a flow means, which it compares afterwards; touch texts, quotes, lists on one line or
// comments; format what is not the YAML of flows. Its promises are tested in format_test.go and, with
// FuzzSource for foreign files, fuzz_test.go.
package format
