// Command http is the component greentic.http: one HTTP request, and what of its answer a flow wants.
//
// What it is: the operation request. Who calls it: flow nodes. What it refuses to do: reach hosts the
// pack does not declare and the operator does not grant, which is the host's to decide; keep a secret in
// the flow, for credentials are named and read from the tenant's secrets. Main types: config, input,
// output. Tested in http_test.go, by http.componenttest.yaml, and in the host by conformance/library.
package main
