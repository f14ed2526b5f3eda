// Package cron is the language of recurring times: expressions of five or six fields, and the
// instants they name in a time zone, also over changes to and from daylight saving time.
//
// What it is: Parse and Next, pure. Who calls it: model/pack checks what a pack declares,
// runtime/events computes what is due. What it refuses to do: read a clock or a zone database (the
// caller brings the location; only the names are known here), or accept what never comes. Main
// type: [Expr]. Its promises are tested in cron_test.go, next_test.go and zone_test.go.
package cron
