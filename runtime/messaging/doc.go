// Package messaging connects chat channels to the runner: foreign activities become canonical
// messages, replies become foreign activities.
//
// What it is: the connectors that are built in; here web chat, which speaks Direct Line 3.0.
// Who calls it: gateway serves [WebChat.Routes]; the runner delivers replies through
// [WebChat.Deliver]. What it refuses to do: run flows, or trust a token it did not sign. Main
// types: [WebChat], [Activity]. Its promises are tested in directline_test.go and
// activity_test.go.
package messaging
