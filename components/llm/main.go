package main

import (
	"greentic.dev/components/chat"
	"greentic.dev/sdk/go/greentic"
)

var component = greentic.Component(greentic.Info{
	ID: "greentic.llm", Version: "0.1.0", Name: "Language model",
	Summary: "Asks language models: OpenAI-compatible and Anthropic servers",
	Config:  config{Endpoint: chat.Endpoint{Protocol: "openai", TimeoutMS: 25000, Structured: "native", TokenField: "max_tokens"}, Repairs: 2},
	Secrets: []greentic.Secret{
		{Key: "OPENAI_API_KEY", Doc: "the key for protocol openai", Optional: true},
		{Key: "ANTHROPIC_API_KEY", Doc: "the key for protocol anthropic", Optional: true},
		{Key: "LLM_API_KEY", Doc: "the key of another server, with secret: LLM_API_KEY", Optional: true},
	},
	WallMS: 300_000,
},
	greentic.Op("chat", talk).Doc("says something to a model; status is ok, tool_calls or length"),
	greentic.Op("extract", extract).Doc("makes a model give a value that fits a JSON Schema"),
)

func main() {}
