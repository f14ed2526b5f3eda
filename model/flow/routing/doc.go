// Package routing is where a flow goes after a node, as data.
//
// What it is: [Routing] with its five variants (formats digest 1.3), [Arrange] to pick one for the routes of a
// source, and [Read] and [Routing.Document] for those of packs. Who calls it: model/flow. What it refuses to do:
// evaluate conditions, or know nodes: model/flow decides which route is taken. Main types: [Routing], [Route].
// Its promises are tested in routing_test.go here and in model/flow.
package routing
