// Command router is the component greentic.router: which way a message goes.
//
// What it is: the operation route: rules of words, patterns and examples, in order of how sure they are,
// and a language model for what they leave open. Its status is the intent, so that a node routes by it.
// Who calls it: flow nodes. What it refuses to do: learn; answer an intent that is not among the rules,
// whatever a model says. Main types: rule, routeIn, decision. Tested in router_test.go, by
// router.componenttest.yaml, and in the host by conformance/library.
package main
