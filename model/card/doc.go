// Package card is the pure part of messaging: what a flow is given, and what a user sees of its
// outputs.
//
// What it is: the canonical flow input, the choice of replies, card routing, card help,
// localisation and the choice of a flow (formats digest 6.2, 6.3, 6.6, 6.8). Who calls it:
// runtime/runner, for every turn. What it refuses to do: read files or the clock, change its
// arguments, run anything. Main types: [Output], [Reply], [Texts]. Its promises are tested in
// replies_test.go, route_test.go, help_test.go, localise_test.go, input_test.go, select_test.go.
package card
