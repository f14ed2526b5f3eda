// Package lanes runs work for many keys at the same time and for each key one piece after the other.
//
// What it is: a pool of workers over keys that somebody wakes, with fair shares and a cap per tenant;
// a key gives its slot away after each piece and while it pauses. Who calls it: runner, for turns and
// for deliveries. What it refuses to do: know what the work is, or store anything: what it forgets is
// found again in the store. Main types: [Pool], [Task], [Pace]. Its promises are tested in
// lanes_test.go.
package lanes
