// Package greentic_test holds the tests of the house itself: import direction, sizes,
// documentation, names, globals and dependencies. It has no code beside its tests; it is run
// by go test like any other package and refuses whatever CONTRIBUTING.md forbids.
package greentic_test
