// Package slot is what a flow collects in a conversation: named values of given types.
//
// What it is: [Read] for slot_schema (formats digest 1.1) and [Schema.Accept] to check what fills a slot and
// give it its type. Who calls it: model/flow, for sources and for runs. What it refuses to do: I/O, and to
// take a value that is not of its slot's type. Main types: [Schema], [Slot]. Its promises are tested in
// slot_test.go.
package slot
