// Command templates is the component greentic.templates: texts and values from templates.
//
// What it is: the operations text, value and check over the template language of flows, which is
// model/flow/expr itself. Who calls it: flow nodes. What it refuses to do: read files, call out, and
// write more than a mapping of a flow may: 1 MiB or 100 000 steps. Main types: config, textIn, valueIn.
// Tested in templates_test.go, by templates.componenttest.yaml, and in the host by conformance/library.
package main
