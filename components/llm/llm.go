package main

import (
	"greentic.dev/components/chat"
	"greentic.dev/components/schema"
	"greentic.dev/sdk/go/greentic"
)

type config struct {
	chat.Endpoint
	Fallback    []chat.Endpoint `json:"fallback,omitempty" doc:"models to ask, in order, when the one before cannot answer"`
	System      string          `json:"system,omitempty" doc:"the system prompt, unless the input has one"`
	Temperature *float64        `json:"temperature,omitempty" min:"0" max:"2"`
	MaxTokens   int             `json:"max_tokens,omitempty" min:"0" doc:"of an answer; 0 leaves it to the server"`
	Stream      bool            `json:"stream,omitempty" doc:"ask for a stream, for servers that break off long silences; the output is the same"`
	Repairs     int             `json:"repairs" default:"2" min:"0" max:"5" doc:"how often an answer that does not fit the schema is asked for again"`
}

type asked struct {
	Prompt      string         `json:"prompt,omitempty" doc:"what the user says; behind messages, when both are given"`
	System      string         `json:"system,omitempty" doc:"the system prompt"`
	Messages    []chat.Message `json:"messages,omitempty" doc:"the conversation so far, such as messages of the last output"`
	Model       string         `json:"model,omitempty" doc:"instead of the configured one; without fallback"`
	Temperature *float64       `json:"temperature,omitempty" min:"0" max:"2"`
	TopP        *float64       `json:"top_p,omitempty" min:"0" max:"1"`
	MaxTokens   int            `json:"max_tokens,omitempty" min:"0"`
	Stop        []string       `json:"stop,omitempty" doc:"texts that end the answer"`
	History     int            `json:"history,omitempty" min:"0" doc:"send only so many of the last messages; 0 sends all"`
	Tools       []chat.Tool    `json:"tools,omitempty" doc:"what the model may ask to be called"`
	ToolChoice  string         `json:"tool_choice,omitempty" doc:"auto, none, required or the name of a tool"`
}

type chatIn struct{ asked }

type extractIn struct {
	asked
	Schema map[string]any `json:"schema" doc:"JSON Schema of the value"`
}

type chatOut struct {
	Status    string          `json:"status" doc:"ok, tool_calls, or length for an answer cut at its limit"`
	Text      string          `json:"text"`
	Value     any             `json:"value,omitempty" doc:"of extract: what fits the schema"`
	ToolCalls []chat.ToolCall `json:"tool_calls,omitempty" doc:"to be answered by messages with role tool"`
	Messages  []chat.Message  `json:"messages" doc:"the conversation with this answer, for the next call"`
	Model     string          `json:"model" doc:"who answered"`
	Usage     chat.Usage      `json:"usage"`
	Repairs   int             `json:"repairs,omitempty"`
	Tried     []chat.Attempt  `json:"tried,omitempty" doc:"models that could not answer"`
}

func talk(ctx *greentic.Context, in chatIn) (chatOut, error) {
	return ask(ctx, in.asked, chat.Request{})
}

func extract(ctx *greentic.Context, in extractIn) (chatOut, error) {
	s, err := schema.Compile(in.Schema)
	if err != nil {
		return chatOut{}, greentic.Fail("invalid_schema", "$.schema: "+err.Error())
	}
	return ask(ctx, in.asked, chat.Request{Schema: in.Schema, Problems: s.Problems})
}

// ask puts the request together and asks; q has what only one of the operations knows.
func ask(ctx *greentic.Context, in asked, q chat.Request) (chatOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return chatOut{}, err
	}
	client := chat.Client{Do: ctx.HTTP().Do, Secret: ctx.Secret, Repairs: c.Repairs, Endpoints: append([]chat.Endpoint{c.Endpoint}, c.Fallback...)}
	if in.Model != "" {
		client.Endpoints = client.Endpoints[:1]
		client.Endpoints[0].Model = in.Model
	}
	if client.Endpoints[0].Model == "" {
		return chatOut{}, greentic.Fail(greentic.CodeInvalidConfig, "$.config.model: no model is configured")
	}
	messages := in.Messages
	if in.Prompt != "" {
		messages = append(messages[:len(messages):len(messages)], chat.Message{Role: "user", Content: in.Prompt})
	}
	q.System, q.Messages, q.Tools, q.ToolChoice = in.System, last(messages, in.History), in.Tools, in.ToolChoice
	q.Temperature, q.TopP, q.MaxTokens, q.Stop, q.Stream = in.Temperature, in.TopP, in.MaxTokens, in.Stop, c.Stream
	if q.System == "" {
		q.System = c.System
	}
	if q.Temperature == nil {
		q.Temperature = c.Temperature
	}
	if q.MaxTokens == 0 {
		q.MaxTokens = c.MaxTokens
	}
	a, err := client.Ask(q)
	if err != nil {
		return chatOut{}, err
	}
	ctx.Log("a model answered", "model", a.Model, "input_tokens", a.Usage.Input, "output_tokens", a.Usage.Output, "requests", a.Usage.Requests)
	out := chatOut{Status: a.Finish, Text: a.Text, Value: a.Value, ToolCalls: a.ToolCalls, Model: a.Model, Usage: a.Usage, Repairs: a.Repairs, Tried: a.Tried}
	if a.Finish == "stop" {
		out.Status = "ok"
	}
	said := chat.Message{Role: "assistant", ToolCalls: a.ToolCalls}
	if a.Text != "" || len(a.ToolCalls) == 0 {
		said.Content = a.Text
	}
	out.Messages = append(messages[:len(messages):len(messages)], said)
	return out, nil
}

// last are the n last messages; a result of a tool is not parted from the call it answers.
func last(messages []chat.Message, n int) []chat.Message {
	from := len(messages) - n
	if n <= 0 || from <= 0 {
		return messages
	}
	for from > 0 && messages[from].Role == "tool" {
		from--
	}
	return messages[from:]
}
