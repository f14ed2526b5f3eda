// Package componenttest runs *.componenttest.yaml files: calls of a built component and what they must answer.
//
// What it is: the reader of the files, a host whose secrets, state, HTTP and clock a case says, and the
// comparison. Who calls it: cmd for component test, dev loops. What it refuses to do: network, unknown keys,
// files over 1 MiB, more than 1,000 cases in a file. Main types: [Suite], [Case], [Report]. Its promises are tested in
// componenttest_test.go.
package componenttest
