// Package dev is the loop of greentic dev: a pack is served from the folder it is made from, and
// what is saved there is served a moment later.
//
// What it is: watch, rebuild the components whose sources changed, check the flows, load, take open
// conversations along, and tell all of it to the terminal and to the page beside the chat. Who calls
// it: cmd/greentic, which opens the system it works on. What it refuses to do: serve what has an
// error (the last good version stays), decide what an error is (build, flow and flowcheck do), show
// anything to whoever has not the operators' token. Main types: [Loop], [Event], [State]. Its promises
// are tested in dev_test.go and, in a browser, in system/systemtest.
package dev
