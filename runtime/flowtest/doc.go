// Package flowtest runs flow tests: cases of *.flowtest.yaml against the real runner on a store in
// memory, with a clock of its own.
//
// What it is: for each case a runner, a conversation and mocks for what the suite mocks: components,
// and servers behind the HTTP client of real components. Who calls it: `greentic flow test`, dev
// servers, conformance. What it refuses to do: reach a network, a store that lasts or the real time; a
// pause or wait costs nothing, for the clock goes on when nothing runs. Main types: [Tests], [File].
// Its promises are tested in flowtest_test.go and mocks_test.go; why it is a package of its own:
// docs/decisions/0030.
package flowtest
