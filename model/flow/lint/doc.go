// Package lint finds in a flow what compiles and is wrong all the same.
//
// What it is: [Check] for nodes nothing leads to, routes that are never taken, templates that name
// nothing, payloads that do not fit, and secrets and hosts nobody declares; [Rules] lists what can be
// found, for documents and SARIF; [SARIF] writes findings for other tools. Who calls it: flow checks
// and editors. What it refuses to do: I/O, running anything, and to report what depends on values it
// cannot know. Main types: [Subject], [Component], [Rule]. Its promises are tested in golden_test.go,
// sarif_test.go and, with FuzzCheck for foreign flows, fuzz_test.go.
package lint
