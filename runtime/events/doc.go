// Package events turns what packs declare in greentic.events.v1 into triggers: due times of
// schedules, and events of the bus.
//
// What it is: [Schedules] keeps what is due next in the store and fires it; [Relay] publishes what
// flows emit and gives the inbox what they subscribed to. Who calls it: runner, through Fire and
// Deliver; system, which tells it what is served. What it refuses to do: run a flow, read a clock
// for anything but the beginning of a schedule, or count: the same due time and the same event
// always make the same trigger id, so that accepting it twice, by one runner or two, starts one
// turn. Main types: [Schedules], [Relay], [Declared], [Envelope]. Its promises are tested in
// schedule_test.go, schedules_test.go and relay_test.go; with runners in runtime/runner.
package events
