// Package pack opens and writes .gtpack archives: flows, components and assets in one file.
//
// What it is: the container with all its checks (formats digest 4.1), the pack-v1 manifest, lock,
// SBOM and extensions (4.2 to 4.5), and the deterministic [Build]. Who calls it: runtime/loader,
// which decides about trust, and build, which writes packs. What it refuses to do: read files or
// the network, trust anything, invent what an archive lacks. Main types: [Archive] (opened, not
// trusted), [Manifest], [Component], [Finding], [Source]. Its promises are tested in hostile_test.go
// (one named case per trick), archive_test.go, write_test.go and fuzzed by FuzzOpen.
package pack
