// Package trace is what an invocation of a component asked of its host and learned from it, as
// plain data with a JSON form, and how two askings are compared.
//
// What it is: a [Trace] of [Exchange] values; [Needles], the forms in which secrets are found and
// replaced by marks; [Readings] of clocks; a [Divergence], which names the first difference. Who
// calls it: runtime/host records and replays, runtime/runner keeps traces in turn records. What it
// refuses to do: call anything, read a clock, hold a secret once [Exchange.Conceal] was called with
// it. Its promises are tested in redact_test.go and trace_test.go, what the host does with it in
// package runtime/host.
package trace
