// Package gateway is the HTTP front door: it mounts the routes the planes offer, authenticates,
// authorises on the parsed route, limits bodies and turns failures into responses.
//
// What it is: one handler over a table of routes. Who calls it: system serves it. What it
// refuses to do: know what a route does, or serve one that says nothing about who may call it.
// Main types: [Gateway], [Options]. Its promises are tested in gateway_test.go.
package gateway
