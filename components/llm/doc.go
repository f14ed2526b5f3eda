// Command llm is the component greentic.llm: language models in a flow.
//
// What it is: the operations chat and extract, over package chat: OpenAI-compatible and Anthropic servers,
// whole or streamed, tools passed through, answers checked against a JSON Schema, models that stand in for
// one another. Who calls it: flow nodes. What it refuses to do: try the same model again, which is for the
// node's retry policy; run tools, which are nodes of the flow. Main types: config, chatIn, chatOut. Tested
// in llm_test.go, by llm.componenttest.yaml, and in the host by conformance/library.
package main
