// Package guests is what the guests of the measurements have in common: the names of their
// interfaces and the host function they call.
//
// What it is: the world of world.wit from the host's side. build.sh makes the guests from go
// (standard Go) and guest.js (QuickJS, SpiderMonkey) into out, which is not tracked. Who calls
// it: bench. What it refuses to do: build or find guests. Its main values are [Calls] and
// [Hosts]. That every guest runs on kept instances is tested in guests_test.go.
package guests
