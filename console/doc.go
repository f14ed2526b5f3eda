// Package console is the embedded web UI: server-rendered pages over the public HTTP APIs.
//
// What it is: pages as routes; here the chat. Who calls it: system mounts [Console.Routes] on
// the gateway. What it refuses to do: reach into a plane, load anything from another host, or
// run inline script. Main type: [Console]. Its promises are tested in console_test.go and, in a
// browser, in system/systemtest. The bundle in static/ is built from web/ by make web.
package console
