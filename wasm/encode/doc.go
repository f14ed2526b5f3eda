// Package encode writes core modules and components.
//
// What it is: the way back of package binary: a [Module] is assembled from functions of a few
// instructions, a [Component] from core modules and from interfaces of package wit; both come out
// as bytes, the same for the same calls. Who calls it: builders of guests, such as build/quickjs.
// What it refuses to do: check what it is given (whoever compiles the result does that), define
// resources, write what the host would not run (async, streams). Main types: [Module],
// [Component], [Core]. Its promises are tested in encode_test.go, where the result is decoded,
// bound and called, and in build/quickjs against an independent host.
package encode
