// Package egress is the one outbound HTTP client of the system.
//
// What it is: a [Client] that sends a [Request] only where its [Grant] list allows: by host,
// port and method before connecting, by address while connecting, again on every redirect; for
// bodies that stream it gives a round tripper under the same rules. Who calls it: runtime/host
// for components; later OAuth, webhooks and registries. What it
// refuses to do: reach private, loopback or link-local addresses unless a grant names that
// very address or localhost; use a proxy from the environment; follow a redirect from https
// to http; answer with more bytes or later than its limits; put a URL, which may carry a
// secret, into an error. Main types: [Client], [Request], [Response], [Grant]. Its promises
// are tested in client_test.go, stream_test.go and grant_test.go.
package egress
