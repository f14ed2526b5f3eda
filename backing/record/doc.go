// Package record is the schema of turn records over kv: what each turn was given, did, asked the
// outside and answered, so that anybody can see why and run it again.
//
// What it is: the record of a turn as plain data, kept per conversation for a time and a size.
// Who calls it: the runner writes one in the transaction that ends a turn; replay, the command
// line and the operations API read them. What it refuses to do: hold a secret, or grow without
// bound. Main types: [Turn], [Step]. Its promises are tested in record_test.go.
package record
