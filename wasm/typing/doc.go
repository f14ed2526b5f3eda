// Package typing makes the concrete types of a component from their definitions.
//
// What it is: a [Table] that resolves value and function types to trees without indexes, knows
// what each costs to walk and to pass, and remembers under which name each part was used, for
// what crosses a border must have a name on both sides. Who calls it: package link while it
// evaluates a component. What it refuses to do: instances, components and modules, which are
// graphs and not values; types past the limits of package binary. Main types: [Table], [Ref],
// [Size]. Its promises are tested in typing_test.go and, on whole components, in package link.
package typing
