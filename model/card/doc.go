// Package card turns messages into the input of flows and their outputs into what a user sees.
//
// What it is: the pure part of messaging around a flow (formats digest 6.2, 6.3, 6.6, 6.8): the
// choice of the flow, its input, help for card components, card routing, replies with Adaptive
// Cards, localisation. Who calls it: runtime/runner, for every turn. What it refuses to do: run
// flows, read files (they come in through a function), change what it is given. Main types:
// [Output], [Reply], [Texts]. Its promises are tested by the goldens under testdata, in
// select_test.go and input_test.go, and fuzzed by FuzzLocalise and FuzzReplies.
package card
