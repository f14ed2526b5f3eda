// Package link runs the instance graph of a component.
//
// What it is: the code of a [Plan] (package plan), compiled, bound to host functions, and the
// instances that run it; they may be kept for one owner and put back into an image of their first state between
// calls ([Birth]). Who calls it: package wasm; hosts describe what they offer with [Hosts]. What it refuses
// to do: ill-typed components, before anything runs; imports that nobody satisfies; re-entering
// a component instance that is being called. Main types: [Plan], [Program], [Bound], [Hosts],
// [Call], [Trap]. Its promises are tested in plan_test.go, wast_test.go and kept_test.go, and
// with the engine in package wasm.
package link
