// Package wasihttp is wasi:http 0.2 for guests that send requests.
//
// What it is: host functions over package wasi that send what a guest builds through the round
// tripper of wasi.Config, with bodies that stream both ways through small buffers. Who calls it:
// package wasm registers it with every binding. What it refuses to do: follow redirects, decide
// who may be reached (the round tripper does), hold more than its buffers of a body or more
// headers than its limits, leave a goroutine behind, serve incoming requests. Main types:
// [Register], [ErrorCode]. Its promises are tested in *_test.go here, against the functions
// themselves and servers on the loopback.
package wasihttp
