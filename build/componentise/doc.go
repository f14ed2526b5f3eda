// Package componentise makes a component of a core module that the standard Go compiler wrote.
//
// What it is: the step after `go build` for wasip1. The module gets memory for the preview-1 adapter,
// the world of its own imports and exports is written down, and wasm-tools' componentiser, which this binary
// carries as a component, runs on our engine. Who calls it: build/guest and the builders of guests in this
// repository. What it refuses to do: files, processes, network; a module without the SDK's reserve; an
// interface that is none of ours. Main type: [Tool]. Its promises are tested in componentise_test.go.
package componentise
