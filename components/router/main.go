package main

import (
	"greentic.dev/components/chat"
	"greentic.dev/sdk/go/greentic"
)

var component = greentic.Component(greentic.Info{
	ID: "greentic.router", Version: "0.1.0", Name: "Router",
	Summary: "Finds the intent of a message by rules, and by a language model where they do not say",
	Config:  config{Default: "none", Threshold: 0.6},
	Secrets: []greentic.Secret{
		{Key: "OPENAI_API_KEY", Doc: "the key for llm with protocol openai", Optional: true},
		{Key: "ANTHROPIC_API_KEY", Doc: "the key for llm with protocol anthropic", Optional: true},
		{Key: "LLM_API_KEY", Doc: "the key of another server, with secret: LLM_API_KEY", Optional: true},
	},
},
	greentic.Op("route", route).Doc("finds the intent of a text; status is the intent").
		Example("a word decides", map[string]any{"text": "I want a refund", "rules": []any{map[string]any{"intent": "billing", "keywords": []any{"refund"}}}},
			map[string]any{"status": "billing", "intent": "billing", "by": "keyword", "score": 1.0, "matched": "refund"}),
)

func main() {}

type config struct {
	Rules     []rule         `json:"rules,omitempty" doc:"the intents, more important ones first"`
	Default   string         `json:"default" default:"none" doc:"the intent when nothing is found"`
	Threshold float64        `json:"threshold" default:"0.6" min:"0" max:"1" doc:"how like an example a text must be"`
	LLM       *chat.Endpoint `json:"llm,omitempty" doc:"a model to ask when the rules do not say"`
	Hint      string         `json:"hint,omitempty" doc:"what the model should know about the messages"`
}

type rule struct {
	Intent      string   `json:"intent" min:"1" doc:"a word; nodes route by it"`
	Description string   `json:"description,omitempty" doc:"for the model"`
	Keywords    []string `json:"keywords,omitempty" doc:"words or phrases; one is enough"`
	All         []string `json:"all,omitempty" doc:"words or phrases that must all be there"`
	None        []string `json:"none,omitempty" doc:"words or phrases that must not be there, whatever else is"`
	Patterns    []string `json:"patterns,omitempty" doc:"RE2; named groups become entities"`
	Examples    []string `json:"examples,omitempty" doc:"messages of this intent"`
}

type routeIn struct {
	Text  string `json:"text" doc:"what the user said"`
	Rules []rule `json:"rules,omitempty" doc:"instead of the configured ones"`
}

type decision struct {
	Status   string            `json:"status" doc:"the intent, for routing"`
	Intent   string            `json:"intent"`
	By       string            `json:"by" doc:"keyword, pattern, example, llm or default"`
	Score    float64           `json:"score" doc:"how sure it is, to 1"`
	Matched  string            `json:"matched,omitempty" doc:"the word, pattern or example that decided"`
	Entities map[string]string `json:"entities,omitempty" doc:"what named groups of a pattern caught"`
	Model    string            `json:"model,omitempty" doc:"which model decided"`
	Usage    *chat.Usage       `json:"usage,omitempty"`
	Error    string            `json:"error,omitempty" doc:"the code of why the model could not be asked; the default stands then"`
}
