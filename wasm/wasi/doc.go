// Package wasi is WASI 0.2 for guests: io, clocks, random, cli, a read-only filesystem, and
// sockets that refuse.
//
// What it is: host functions over package link whose whole world is a [Config]; nothing of
// the host's own files, environment, terminal or network is reachable. Who calls it: package
// wasm registers it with every binding and gives each invocation a [State]. What it refuses
// to do: write files, open sockets, block longer than the context lives, write more output
// than the limit. Main types: [Config], [State], [ExitError]. Its promises are tested in
// *_test.go here, against the functions themselves.
package wasi
