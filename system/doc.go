// Package system is the composition: it reads the configuration, opens the backends its URLs
// name, wires the planes together and owns their lifecycle.
//
// What it is: the only place, with cmd, that knows every plane. Who calls it: cmd/greentic and
// the whole-system tests. What it refuses to do: decide anything a plane should decide. Main
// types: [Config], [System]. Its promises are tested in config_test.go and, whole, in system/systemtest.
package system
