// Package guest builds a component out of the folder of its source.
//
// What it is: the toolchain of the language, the componentiser, and the manifest that the component
// itself tells (docs/decisions/0031). Who calls it: cmd for component build and test, dev loops, and
// `make guests`. What it refuses to do: network (a project brings the SDK in vendor/), settings of
// the user that would show in the bytes, a component that was put together wrongly. Main types: [Project],
// [Built]. Its promises are tested in guest_test.go and by the scripts of cmd/greentic.
package guest
