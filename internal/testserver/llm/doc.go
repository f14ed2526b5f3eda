// Package llm is a server that speaks the protocols of language models, for tests.
//
// What it is: OpenAI-compatible chat completions at /v1/chat/completions and Anthropic messages at
// /v1/messages on a loopback port, whole or streamed, with the errors of both: wrong keys, rate limits with
// Retry-After, overload, filters, answers that are cut off or no JSON. A test says what comes next, or lets
// it echo. Who calls it: tests of components and of the platform. What it refuses to do: think; take a
// request the real servers would refuse, which it answers as they do. Main types: [Server], [Reply], [Asked].
// It is tested by server_test.go and by every test that stands on it.
package llm
