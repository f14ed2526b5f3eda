// Package jsonwrite appends JSON to a buffer without reflection.
//
// What it is: fields of an object one after the other, and JSON-like values (nil, bool, string,
// numbers, []any, map[string]any) with sorted keys. Who calls it: whatever stores something on
// the way of every turn, where encoding/json would be a third of what the turn costs. What it
// refuses to do: read; encoding/json reads what it writes. Main functions: [Key], [Value]. Its
// promises are tested in jsonwrite_test.go.
package jsonwrite
