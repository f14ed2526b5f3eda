// Package systemtest runs the whole platform: real packs on real stores, over HTTP, in a browser,
// killed and started again.
//
// What it is: tests and what they share, such as reading conversation scripts. Who calls it: go
// test; `make bench` measures through it. What it refuses to do: reach into a plane; it sees what
// a user sees. Main types: [Script], [Step]. It promises what README.md promises.
package systemtest
