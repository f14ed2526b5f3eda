// Package linediff says how one text becomes another, line by line.
//
// What it is: one function over the algorithm of Myers, in the unified form. Who calls it: commands
// that show what they would change, and tests that show what differs. What it refuses to do: search
// for the shortest difference between texts that have almost nothing in common. Main function:
// [Unified]. Its promises are tested in linediff_test.go.
package linediff
