// Command adaptive-card is the component greentic.adaptive-card: cards from templates, checked and in the
// user's language.
//
// What it is: the operations card, validate and localise. Templates in cards are those of flows
// (model/flow/expr), translations those of the channel (model/card). It takes the input of the public
// adaptive card component and answers in its words, so that flows written for that one run. Who calls it:
// flow nodes. What it refuses to do: read files, which the host puts into the input before. Main types:
// cardIn, cardOut, issue. Tested in card_test.go, by adaptive-card.componenttest.yaml, and in the host by
// conformance/library.
package main
