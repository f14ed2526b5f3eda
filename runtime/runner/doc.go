// Package runner is the conductor: it accepts triggers durably, runs them through flows one at
// a time per conversation, commits each turn in one transaction and delivers the replies.
//
// What it is: Accept, Run, Commit, Deliver (architecture, "A message's way"). Who calls it:
// connectors accept, system starts and drains it, `greentic run --message` takes single turns.
// What it refuses to do: decide what a flow does next (package flow), or run a pack that is not
// loader.Verified. Main types: [Runner], [Release]. Its promises are tested in runner_test.go,
// turn_test.go, component_test.go, deliver_test.go, crash_test.go and elsewhere_test.go.
package runner
