// Package library holds the tests of the component library inside the platform.
//
// What it is: tests only, of the .wasm files checked in under components/: that they are what their
// manifests say, pass their own cases, keep to what they are granted, and talk to real servers through the
// host's HTTP client; and of the flows in their READMEs. Who calls it: go test. What it refuses to do: build
// a component; that the files are what the sources make is for `make components-check`. Main types: none.
// Its promises are library_test.go, cases_test.go, flows_test.go, network_test.go and limits_test.go.
package library
