// Package filled makes values of which no field is zero.
//
// What it is: one function over reflection. Who calls it: tests of what encodes a type by hand,
// so that a field somebody adds to the type and forgets in the encoder fails a test. What it
// refuses to do: run in production, fill unexported fields. Main function: [Fill]. Its promises
// are tested in filled_test.go.
package filled
