// Package doctor says what would stop a component from running here, and what to do about it.
//
// What it is: the examination behind `component doctor`: of the binary by itself, of what it imports
// and exports, and of what it says when it is asked to describe itself. Who calls it: cmd/greentic.
// What it refuses to do: print, change the component, call more of it than describe, grant it
// anything while it runs. Main types: [Diagnosis], [Finding]. Its promises are tested in
// doctor_test.go and by the scripts of cmd/greentic.
package doctor
