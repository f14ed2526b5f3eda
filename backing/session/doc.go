// Package session is the schema of conversations over kv: where a flow stands, on which
// release, at which revision.
//
// What it is: reading and fenced writing of one record per session key, and the index of pins.
// Who calls it: runner, inside its transactions. What it refuses to do: overwrite a session
// that somebody else changed. Main type: [Session]. Its promises are tested in session_test.go.
package session
