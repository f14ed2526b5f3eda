// Package nats is the event bus on NATS JetStream: in this process, or a server by URL.
//
// What it is: one stream per tenant, one durable pull consumer per subscription, one stream for
// dead letters; why so is docs/decisions/0021-the-bus-on-jetstream.md. Who calls it: system. What it refuses to
// do: start a server or connect before something is published or subscribed, and acknowledge
// before fsync when the server is its own. Main types: [Bus], [Options]. Its promises are those of
// bustest, which embedded_test.go and server_test.go run; what a crash of either side may do is
// tested in crash_test.go, names in subject_test.go.
package nats
