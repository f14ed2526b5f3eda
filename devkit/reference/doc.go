// Package reference writes the pages of docs/reference that code already knows: the flow language and
// the catalogue of errors.
//
// What it is: the words of the language with an example each, the rules of flow check, the table of
// kinds, and the codes that the source gives to errors, as Markdown. Who calls it: `make reference`,
// through its own test, and later an editor's help. What it refuses to do: describe a word without an
// example that compiles. Main types: [Word]. Its promises are tested in reference_test.go, which also
// writes the pages.
package reference
