// Package operate is how operators look at a runner's work and change it: sessions, releases, turns
// and why they went as they did, dead letters, and invocations of a flow by name and digest.
//
// What it is: HTTP routes as data over the schemas in backing and over runner. Who calls it: system
// mounts the routes behind the operator's token; the command line speaks to the same routes, over the
// network or inside its own process. What it refuses to do: authenticate (gateway does), decide what
// may be changed (runner and the stores do), or tell a foreign resource from one that does not exist.
// Main types: [API], [Deps]. Its promises are tested in operate_test.go, invoke_test.go and follow_test.go.
package operate
