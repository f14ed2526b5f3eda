// Package chat talks to language models: OpenAI-compatible chat completions and Anthropic messages.
//
// What it is: one request and one answer for both protocols; streams are read whole and collapsed; answers
// that must fit a JSON Schema are checked and asked for again; models stand in for one another. Who calls
// it: the components llm and router, with the host's HTTP client. What it refuses to do: wait and try the
// same model again, which is the flow's to decide by the code, retryable and backoff of an error; run
// tools; keep a conversation. Main types: [Client], [Endpoint], [Request], [Answer]. The codes of its
// errors stand in errors.go. Tested against a server that speaks both protocols, in chat_test.go,
// structured_test.go, stream_test.go and errors_test.go.
package chat
