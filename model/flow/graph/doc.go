// Package graph draws flows: as Mermaid, as DOT, and as SVG that it lays out itself.
//
// What it is: [Of] makes the nodes and edges of a flow, [Graph.Mermaid], [Graph.DOT] and [Graph.SVG]
// draw them, with the path of a run when there is one. Who calls it: `greentic flow graph`, flow
// checks for what leads where, pages that show a run. What it refuses to do: I/O, and to draw the
// same graph in two ways: equal input gives equal bytes. Main types: [Graph], [Node], [Edge], [Run].
// Its promises are tested in graph_test.go and svg_test.go.
package graph
