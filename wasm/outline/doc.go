// Package outline tells what the binary of a component says of itself, without running it.
//
// What it is: [Read] decodes and checks a component; an [Outline] gives its WIT (from the type
// definitions, docs and gates where a tool left them), its core modules and its producers. Who
// calls it: the component commands, through them authors. What it refuses to do: compile, link
// or instantiate anything; write as WIT what WIT has no words for; print more than a bounded
// text for a small hostile binary. Main types: [Outline], [Module], [Producer]. Its promises are
// tested in outline_test.go, in describe_test.go over the components under testdata, and
// against an independent tool in differential_test.go.
package outline
