// Package greentic makes a Greentic component out of plain Go functions and structs.
//
// What it is: the guest side of greentic:component/node@0.6.0 and its self-description, for the standard
// Go compiler. Who calls it: a component's main package, once, with [Component]; its operations get a
// [Context], through which they reach configuration, secrets, state, HTTP and the log. What it refuses
// to do: files, sockets and goroutines that outlive a call; an input that does not fit the operation's
// type, before the operation runs; an output that has no value form. Main types: [Info], [Operation],
// [Context], [Error]; [Mock] stands in for the host in tests. Tested by its own tests, and inside a
// host by those of the components built with it.
//
// # From Go types to values
//
// Struct fields are named by their json tag, or in snake_case without one; "-" leaves a field out,
// omitempty makes it optional, and so do a pointer and a default. What the schemas say beside the type comes from tags:
//
//	doc:"what it is for"   enum:"low,high"   default:"low"   min:"1" max:"10"   format:"email"
//
// min and max bound numbers, and the length of texts and lists. Inputs are checked against all of it
// but format.
package greentic
