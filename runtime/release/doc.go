// Package release is packs ready to run: those that are served to new sessions, and older ones for
// the sessions that are pinned to them.
//
// What it is: a set of verified packs by digest, with their components compiled once, their flows,
// texts, assets and grants. Who calls it: runner, for each turn; system, to serve packs; operations,
// to say who is on which version. What it refuses to do: hold a pack that is not loader.Verified, or
// drop one that a session needs. Main types: [Release], [Set], [Version]. Its promises are tested in
// release_test.go.
package release
