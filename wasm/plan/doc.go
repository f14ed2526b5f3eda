// Package plan evaluates a decoded component into its static instance graph.
//
// What it is: validation of everything a component says, also of nested components nobody
// instantiates, and elaboration of what it instantiates into a [Plan], in which every import of
// every core module is resolved. Types are values of that evaluation, so they are concrete: one
// resource pointer per resource of the graph. Who calls it: package link, which runs plans, and
// whoever only asks whether a component is well-typed. What it refuses to do: ill-typed
// components, by the rules of the Component Model; core modules and components that a host would
// have to supply; graphs that a small binary multiplies past its limits. It knows no engine and
// no host. Main types: [Plan], [Extern], [Function], [HostFunc]. Its promises are tested in
// package link, on whole components.
package plan
