// Package flowtest is the format of flow tests: *.flowtest.yaml beside a flow.
//
// What it is: [Read] makes a [Suite] of a source, [Suite.Update] puts what happened into it,
// [Coverage] counts the nodes and routes that cases took, [JUnit] writes reports for other tools. Who
// calls it: runtime/flowtest, which runs suites, and `greentic flow test`. What it refuses to do: run
// anything, or accept a key it does not know. Main types: [Suite], [Case], [Step], [Want],
// [Mismatch]. Its promises are tested in read_test.go, match_test.go and coverage_test.go; the
// reference is docs/reference/flowtest.md.
package flowtest
