// Package wasi is WASI 0.2 for guests: io, clocks, random, cli, a filesystem of read-only assets
// and a scratch directory in memory, and sockets that refuse.
//
// What it is: host functions over package link whose whole world is a [Config]; nothing of
// the host's own files, environment, terminal or network is reachable. Who calls it: package
// wasm registers it with every binding and gives each invocation a [State]; package wasihttp adds
// interfaces through [Func], [Input], [Output], [Event] and [Part]. What it refuses to do: change
// assets, hold more in the scratch directory than its quota or anything of it after the invocation,
// open sockets, block longer than the context lives, write more output than the limit. Main types:
// [Config], [State], [ExitError]. Its promises are tested in *_test.go here, against the functions
// themselves.
package wasi
