// Package bus is the contract of the event bus: topics of one tenant, at least once.
//
// What it is: an interface, its limits, the pattern language of topics, and [Lanes], which hands
// events to a handler in the promised order for every backend. Who calls it: the runner, to emit
// and to be fed; only system opens a backend. What it refuses to do: reach across tenants, keep
// history for reading again, or promise exactly once: whoever is handed an event recognises a
// repeat by its ID. Main types: [Bus], [Subscription], [DeadLetter], [Lanes]. Its
// promises are the cases of package bustest, which every backend runs; patterns are tested in
// topic_test.go, the way back from a failure in retry_test.go and lanes_test.go.
package bus
