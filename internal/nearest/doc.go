// Package nearest finds the word a user probably meant.
//
// What it is: one function over the Levenshtein distance. Who calls it: whatever refuses an
// unknown key, node or name and wants to suggest the right one. What it refuses to do: guess from
// far away. Main function: [Word]. Its promises are tested in nearest_test.go.
package nearest
