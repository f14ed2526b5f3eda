// Command transform is the component greentic.transform: values made of values, by jq filters.
//
// What it is: the operations map and check over gojq, the jq language in Go. Who calls it: flow nodes. What
// it refuses to do: read the environment, files or modules; run longer, give more results or a larger value
// than its limits say. Main types: config, mapIn, budget. Tested in transform_test.go, by
// transform.componenttest.yaml, and in the host by conformance/library.
package main
