// Package host runs components: it binds the interfaces of package interfaces to one tenant
// and one set of grants per invocation, and calls what a component exports.
//
// What it is: a [Host] that loads components, tells their calling convention ([ABI]; the lines
// before 0.6 are in older.go) and invokes them; host functions for state, secrets, HTTP,
// logging and control; a trace (model/trace) of what an invocation asked and was answered, from which it can
// be run again without effects. Who calls it: runtime/runner for flow nodes, runtime/messaging for
// connectors, the component commands. What it refuses to do: give a guest anything its [Grants]
// do not name, act for another tenant than the invocation's, put a secret into an error, a log
// line or a record, reach anything in a replay. Main types: [Host], [Component], [Request],
// [Response], [Grants]. Its promises are tested in *_test.go here, those of
// recording and replaying in replay_test.go, trace_wasi_test.go and secrets_test.go; those about
// real components need GREENTIC_INPUT.
//
// # Recording
//
// With [Request.Record] the response carries every call of state, secrets and HTTP (greentic and
// wasi) in the guest's order, what the guest read of clocks and polls, and the seed of its random
// numbers. Log lines are not kept. Components start in a world (wasi.Origin) that is the same for ten
// minutes, so that what they remember from their start can be had again.
//
// A secret the guest got is "{secret:KEY}" in every text of a trace, if it has at least four bytes,
// in these forms: as it is, within JSON text, percent-encoded in part or as a whole, as hexadecimal
// digits, in base64 alone or with something before and after it. A secret that is hashed, cut,
// compressed or encoded twice is not recognised.
//
// # Replaying
//
// With [Request.Replay] calls are matched in order by interface, function and arguments. The first
// that differs ends the guest. A secret that is read is its mark, and a mark in a recorded argument
// fits any text; so a guest that puts a secret into a URL, a header or a body replays, one that
// computes with it (a signature, a part of it) may be reported as changed, at the argument where it
// shows. Arguments are compared as UTF-8. The body of a request through wasi:http whose answer came
// before it ended is not compared, nor are the sizes in which streams gave their bytes kept.
//
// # Idempotency keys
//
// POST and PATCH requests, greentic or wasi, carry Idempotency-Key unless the guest set one: the
// key of the step for the first of an invocation, with "/2", "/3" behind it for those that follow,
// counted whether they are sent or not. PUT and DELETE mean the same when they are repeated
// (RFC 9110 9.2.2) and get none.
package host
