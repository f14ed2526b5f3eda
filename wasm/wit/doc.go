// Package wit reads and writes WIT, the text form of component interfaces.
//
// [Parse] turns sources into a [Set] of packages whose value types are those of package binary;
// [Format] prints a model as text that Parse reads back. Package outline, which makes the same
// model from a component, the embedded interfaces and the component commands call it. It refuses
// by name what this host does not run (async, stream, future, error-context, map, lists of fixed
// length, accessors), and says file, line and column of every error. External ids, which speak
// to other tools, are read and dropped. Main types: [Set], [Package], [Interface], [World],
// [TypeDef], [Func]. Its promises are tested in parse_test.go and the goldens under testdata,
// and against an independent tool in package outline.
package wit
