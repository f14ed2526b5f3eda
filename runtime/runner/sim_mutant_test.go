package runner_test

import "testing"

// mutants are defects a simulation must find; each breaks one thing that a promise rests on.
var mutants = []mutant{
	{name: "commits are not fenced", unfenced: true},
	{name: "a message is acknowledged before it is stored", unaccepted: true},
	{name: "the memory of ids is lost", put: "seen/"},
	{name: "the number of a lane is lost", put: "lane/"},
	{name: "sessions are lost", put: "session/"},
	{name: "ended sessions stay", delete: "session/"},
	{name: "state is lost", put: "state/"},
	{name: "a turn that has run stays in the inbox", delete: "inbox/"},
	{name: "replies are lost", put: "outbox/"},
	{name: "delivered replies stay", delete: "outbox/"},
	{name: "dead letters are lost", put: "dead/"},
	{name: "turn records are lost", put: "turn/"},
	{name: "the due index is forgotten", index: "due/"},
	{name: "due times fire again", unindex: "due/"},
	{name: "the index of work is forgotten", index: indexOfWork},
	{name: "the index of work is never cleared", unindex: indexOfWork},
	{name: "an attempt to deliver has an id of its own", newIDs: true},
	{name: "later replies overtake earlier ones", overtakes: true},
}

// indexOfWork stands for the keys that find inbox and outbox.
const indexOfWork = "ready/"

// TestTheSimulationFindsDefects: a proof that cannot fail proves nothing.
func TestTheSimulationFindsDefects(t *testing.T) {
	const within = 60
	releases := simReleases(t)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			for seed := 1; seed <= within; seed++ {
				if _, err := bubble(t, seed, releases, m, false); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("%d worlds did not show it", within)
		})
	}
}
