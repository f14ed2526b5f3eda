// Package walk takes one trigger through the flows of a pack: it does what flow.Next says and
// collects what the turn says, keeps and publishes.
//
// What it is: the loop between package flow and the component host, within one turn: calls, state,
// events, retries, checkpoints, the trail of the record, and the same again from a record. Who calls
// it: runner, which makes a [Walk] of each trigger and stores what it collected. What it refuses to
// do: decide what a flow does next, or let anything out before the turn commits, except what a
// component asks its host for. Main types: [Walk], [Options], [Playback]. Its promises are tested in
// walk_test.go and, as part of a turn, in package runner.
package walk
