// Package web is what components that send requests share beside the SDK's HTTP client.
//
// What it is: addresses under a base, pauses that a server asks for, secrets as credentials. Who calls
// it: the components http, llm and router. What it refuses to do: send anything; in a component [Do] is
// the host's client, in a test it is a function or a real server. Main types: [Do], [Auth]. Tested in
// web_test.go.
package web
