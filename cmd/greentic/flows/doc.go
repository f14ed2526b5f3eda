// Package flows is the commands of who writes flows: check, fmt, graph and test.
//
// What it is: flags, files and output around devkit/flowcheck, model/flow/format, model/flow/graph
// and runtime/flowtest. Who calls it: the program of cmd/greentic. What it refuses to do: decide
// anything about a flow itself, or change a file that was not named. Main types: [Terminal]. Its
// promises are tested by the scripts of cmd/greentic.
package flows
