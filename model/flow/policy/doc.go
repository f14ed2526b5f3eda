// Package policy is what a node may say about failure, time and many things at once.
//
// What it is: [Read] for the objects beside an operation (retry, timeout, when, and compensate, for_each
// and parallel under meta.greentic; docs/decisions/0020 and 0028), and what a [Retry] decides. Who calls it: model/flow, for
// sources and for packs. What it refuses to do: read what it does not know; an unknown key or a wrong value is
// reported with its place and a fix. Main types: [Policies], [Retry], [ForEach], [Parallel]. Its
// promises are tested in policy_test.go here and in model/flow.
package policy
