// Package memory is the reference of the event bus: everything in this process, nothing durable.
//
// What it is: the contract of backing/bus in maps and slices, as plain as it can be. Who calls
// it: system for a process without a data folder, and tests. What it refuses to do: outlive its
// process, or hold more than MaxBytes of one tenant's unhandled events. Main types: [Bus]. Its
// promises are those of bustest, which memory_test.go runs.
package memory
