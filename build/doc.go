// Package build makes packs from source folders.
//
// What it is: [Pack], which reads pack.yaml, flows, components and assets of a folder and hands
// them to the pure model/pack.Build. Who calls it: cmd for pack build, runtime/loader for folders given to run, later supply/repo. What it
// refuses to do: fetch anything, run components except through the Describe it is given, follow
// symbolic links, pack what the folder does not say. Main types: [Options], [Result]. Its promises
// are tested in pack_test.go.
package build
