// Package events turns the schedules a pack declares into triggers.
//
// What it is: Parse, Next, Due and Trigger over model/cron and the machine's time zones. Who calls
// it: runner, which stores what is due next and accepts the triggers. What it refuses to do: store
// anything or read a clock; the same due time always makes the same trigger id, so that accepting
// it twice, by one runner or two, starts one turn. Main types: [Schedule], [Envelope]. Its
// promises are tested in schedule_test.go.
package events
