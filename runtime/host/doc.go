// Package host runs components: it binds the interfaces of package interfaces to one tenant
// and one set of grants per invocation, and calls what a component exports.
//
// What it is: a [Host] that loads components, tells their calling convention ([ABI]; the lines
// before 0.6 are in older.go) and invokes them; host functions for state, secrets, HTTP,
// logging and control. Who calls it: runtime/runner for flow nodes, runtime/messaging for
// connectors, the component commands. What it refuses to do: give a guest anything its [Grants]
// do not name, act for another tenant than the invocation's, put a secret into an error, a log
// line or a record. Main types: [Host], [Component], [Request], [Response], [Grants]. Its
// promises are tested in *_test.go here; those about real components need GREENTIC_INPUT.
package host
