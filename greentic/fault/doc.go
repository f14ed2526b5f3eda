// Package fault is the one error type of Greentic and its closed set of kinds.
//
// What it is: an error with a kind (what sort of failure), an operation, an
// optional source position and an optional fix. Who calls it: every package;
// errors cross package borders as faults. What it refuses to do: decide by
// text; callers branch on [KindOf] and nothing else. Main types: [Kind],
// [Error], [Position]. Its promises are tested in fault_test.go.
package fault
