// Package expr is the expression language of flows: paths, conditions and mappings.
//
// What it is: [Language] for the conditions of routes, CEL with the ecosystem's == ; [Compile] for
// mappings with typed {{path}} insertion and a Handlebars subset. Who calls it: model/flow, once
// per flow to compile and once per step to evaluate. What it refuses to do: I/O, time, randomness,
// HTML escaping, and patterns that are data; source size, depth, cost and output are limited. Main
// types: [Condition], [Mapping], [Scope], [Roots]. Where its promises are tested: condition_test.go,
// mapping_test.go, roots_test.go, guest_test.go and fuzz_test.go. Compiled values are immutable and safe for concurrent use.
// A component (GOOS=wasip1) gets the mappings only: CEL would be most of its size (docs/decisions/0035).
package expr
