// Package loader decides which packs may run.
//
// What it is: the only maker of [Verified], the only thing a runner loads: it opens a pack from a
// file, from bytes or from a source folder, checks bill of materials and signature against the
// trust store, and says why. Who calls it: system and cmd at start, the runner to resume sessions on
// the pack they began with ([Store]). What it refuses to do: load what is unsigned, changed or signed
// by a key nobody trusted, unless AllowUnsignedUnsafe says so; believe anything inside the archive
// about trust. Packs belong to the machine, not to a tenant. Its promises are tested in loader_test.go.
package loader
