// Package js builds a component out of a folder of JavaScript.
//
// What it is: [Build] follows the imports of the entry module that package.json names, asks the
// modules what they use of the host, and makes the component: on QuickJS, which this binary carries,
// without any tool; on SpiderMonkey with the componentiser that the project brings and Node. Who
// calls it: build/guest. What it refuses to do: network, files outside of the project, modules of
// Node, a component that imports what it does not say it uses. Main types: [Options], [Backend].
// Its promises are tested in js_test.go, and against an independent host in jco_test.go.
package js
