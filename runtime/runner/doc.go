// Package runner is the conductor: it accepts triggers durably, runs them through flows one at
// a time per conversation, commits each turn in one transaction and delivers what it sends.
//
// What it is: Accept, dispatch, run, checkpoint, commit, deliver, timers and replay (architecture,
// "A message's way"; docs/decisions/0025). Who calls it: connectors accept, system starts and drains
// it, `greentic run --message` takes single turns, operations look into it. What it refuses to do:
// decide what a flow does next (package flow), work on a shard that is not its own, or run a pack
// that is not loader.Verified. Main types: [Runner], [TurnResult], [Replayed]. Its promises are
// tested in runner_test.go, turn_test.go, component_test.go, policy_test.go, deliver_test.go,
// due_test.go, wait_test.go, flows_test.go, fork_test.go, replay_test.go, operate_test.go, elsewhere_test.go, takeover_test.go,
// sim_test.go, sim_mutant_test.go, sim_sweep_test.go and crash_test.go.
package runner
