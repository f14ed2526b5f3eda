// Package secrets is the contract of stores that keep the secrets of tenants.
//
// What it is: the [Store] interface, the [Name] of a secret with its canonical form and path
// (formats digest 3.2), and [Find], which looks from the most specific place to the least.
// Who calls it: runtime/host for components, later connectors and commands. What it refuses
// to do: decide who may read (the caller holds the policy), list values, or put a value into
// an error. Backends: memory, the reference, and env. Its promises are the suite in
// secretstest, which every backend runs, and secrets_test.go.
package secrets
