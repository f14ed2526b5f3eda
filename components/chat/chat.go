package chat

import (
	"strings"

	"greentic.dev/components/web"
	"greentic.dev/sdk/go/greentic"
)

// Endpoint is a model and where it is reached.
type Endpoint struct {
	Protocol   string            `json:"protocol" enum:"openai,anthropic" default:"openai" doc:"openai: chat completions, as many servers speak them; anthropic: messages"`
	BaseURL    string            `json:"base_url,omitempty" doc:"https://api.openai.com/v1 or https://api.anthropic.com when empty"`
	Model      string            `json:"model" doc:"the model, as the server calls it"`
	Secret     string            `json:"secret,omitempty" enum:"OPENAI_API_KEY,ANTHROPIC_API_KEY,LLM_API_KEY,none" doc:"the key to send; the protocol's own when empty"`
	Headers    map[string]string `json:"headers,omitempty" doc:"further headers"`
	TimeoutMS  int               `json:"timeout_ms" default:"25000" min:"1" max:"600000" doc:"milliseconds to wait for an answer; the host ends a step after 30 s, unless it is configured otherwise"`
	Structured string            `json:"structured" enum:"native,prompt" default:"native" doc:"how a schema reaches the model: natively, or as words for servers that cannot"`
	TokenField string            `json:"token_field" enum:"max_tokens,max_completion_tokens" default:"max_tokens" doc:"what an openai server calls the limit of the answer"`
}

// Request is what a model is asked. Messages go from old to new and end with what it shall answer.
type Request struct {
	System      string
	Messages    []Message
	Tools       []Tool
	ToolChoice  string // auto (when empty), none, required, or the name of a tool
	Temperature *float64
	TopP        *float64
	MaxTokens   int // of the answer; 0: the server's, for anthropic 4096
	Stop        []string
	Stream      bool               // ask for a stream; the answer is the same
	Schema      map[string]any     // JSON Schema the answer must fit; nil: free text
	Problems    func(any) []string // what of an answer does not fit Schema; none when it does
}

// Message is one message of a conversation.
type Message struct {
	Role       string     `json:"role" enum:"system,user,assistant,tool" doc:"who says it"`
	Content    any        `json:"content,omitempty" doc:"a text, or a list of {type: text, text} and {type: image, url}"`
	ToolCalls  []ToolCall `json:"tool_calls,omitempty" doc:"with role assistant: the tools it wants to be called"`
	ToolCallID string     `json:"tool_call_id,omitempty" doc:"with role tool: the call this answers"`
}

// Tool is a function the model may ask to be called.
type Tool struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Schema      map[string]any `json:"schema,omitempty" doc:"JSON Schema of its arguments"`
}

// ToolCall is such a wish. Arguments are nil when what the model wrote is no JSON object; Raw has it then.
type ToolCall struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments,omitempty"`
	Raw       string         `json:"raw,omitempty" doc:"the arguments as written, when they are no JSON object"`
}

// Answer is what a model said.
type Answer struct {
	ID        string
	Model     string // as the server names it
	Text      string
	ToolCalls []ToolCall
	Finish    string // stop, length or tool_calls
	Usage     Usage
	Value     any       // with Request.Schema: the checked answer
	Tried     []Attempt // models before this one that failed
	Repairs   int       // how often it was asked again because the answer did not fit
}

// Usage counts tokens; of several requests the sum.
type Usage struct {
	Input    int `json:"input_tokens"`
	Output   int `json:"output_tokens"`
	Total    int `json:"total_tokens"`
	Cached   int `json:"cached_tokens" doc:"of the input"`
	Requests int `json:"requests"`
}

func (u *Usage) add(v Usage) {
	u.Input += v.Input
	u.Output += v.Output
	u.Total += v.Total
	u.Cached += v.Cached
	u.Requests += v.Requests
}

// Attempt is a model that failed, and why.
type Attempt struct {
	Model string `json:"model"`
	Code  string `json:"code"`
}

// Client asks models.
type Client struct {
	Do        web.Do
	Secret    func(key string) (string, error) // error code secret_not_found: send no key
	Endpoints []Endpoint                       // the first is asked; the next when one cannot answer
	Repairs   int                              // how often an answer that does not fit is asked for again
}

// Ask asks the models in order until one answers. An error is a *greentic.Error with a code of this
// package; it is the last model's, and its details name the others.
func (c *Client) Ask(q Request) (Answer, error) {
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	if len(c.Endpoints) == 0 {
		return Answer{}, greentic.Fail(greentic.CodeInvalidConfig, "no model is configured: set model")
	}
	var tried []Attempt
	for i, at := range c.Endpoints {
		var a Answer
		var err error
		if q.Schema != nil {
			a, err = c.structured(at, q)
		} else {
			a, err = c.once(at, q)
		}
		if err == nil {
			a.Tried = tried
			return a, nil
		}
		e := asError(err)
		if i == len(c.Endpoints)-1 || !elsewhere(e.Code) {
			return Answer{}, named(e, at.Model, tried)
		}
		tried = append(tried, Attempt{at.Model, e.Code})
	}
	panic("unreachable: the last endpoint returns")
}

// check refuses what no model could answer.
func (q *Request) check() error {
	if len(q.Messages) == 0 {
		return greentic.Fail(greentic.CodeInvalidInput, "there is no message: set prompt or messages")
	}
	for i, m := range q.Messages {
		switch {
		case m.Role == "tool" && m.ToolCallID == "":
			return greentic.Fail(greentic.CodeInvalidInput, "$.messages["+itoa(i)+"]: a message of a tool needs tool_call_id")
		case m.Content == nil && len(m.ToolCalls) == 0:
			return greentic.Fail(greentic.CodeInvalidInput, "$.messages["+itoa(i)+"]: it has no content")
		}
		if _, err := parts(m.Content); err != nil {
			return greentic.Fail(greentic.CodeInvalidInput, "$.messages["+itoa(i)+"].content: "+err.Error())
		}
	}
	return nil
}

// once sends one request to one model.
func (c *Client) once(at Endpoint, q Request) (Answer, error) {
	p := protocolOf(at)
	base := at.BaseURL
	if base == "" {
		base = p.base
	}
	u, err := web.Join(base, p.path)
	if err != nil {
		return Answer{}, err
	}
	body, err := greentic.EncodeJSON(p.body(at, q))
	if err != nil {
		return Answer{}, greentic.Fail(greentic.CodeInvalidInput, err.Error())
	}
	r := &greentic.Request{Method: "POST", URL: u.String(), Body: body, TimeoutMS: at.TimeoutMS}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if err := c.sign(at, p, r); err != nil {
		return Answer{}, err
	}
	for name, value := range at.Headers {
		r.Header.Set(name, value)
	}
	answer, err := c.Do(r)
	if err != nil {
		return Answer{}, unsent(err)
	}
	if answer.Status < 200 || answer.Status > 299 {
		return Answer{}, refused(p, answer)
	}
	a, err := p.read(answer)
	a.Usage.Requests = 1
	if a.Usage.Total == 0 {
		a.Usage.Total = a.Usage.Input + a.Usage.Output
	}
	if a.Model == "" {
		a.Model = at.Model
	}
	return a, err
}

// sign adds the key; a server that wants none gets none.
func (c *Client) sign(at Endpoint, p protocol, r *greentic.Request) error {
	key := at.Secret
	if key == "" {
		key = p.secret
	}
	for _, f := range p.header {
		r.Header.Set(f[0], f[1])
	}
	if key == "none" {
		return nil
	}
	secret, err := c.Secret(key)
	if err != nil {
		if e := asError(err); e.Code == "secret_not_found" && at.Secret == "" && at.BaseURL != "" {
			return nil // a server of one's own may want no key
		}
		return err
	}
	r.Header.Set(p.keyHeader, p.keyPrefix+strings.TrimSpace(secret))
	return nil
}

// protocol is how a server is spoken to.
type protocol struct {
	base, path           string
	secret               string // the key it wants
	keyHeader, keyPrefix string
	header               [][2]string
	body                 func(Endpoint, Request) map[string]any
	read                 func(*greentic.Response) (Answer, error)
	fault                func(body any) (code, message string) // what an error body says
}

func protocolOf(at Endpoint) protocol {
	if at.Protocol == "anthropic" {
		return protocol{base: "https://api.anthropic.com", path: "/v1/messages", secret: "ANTHROPIC_API_KEY", keyHeader: "X-Api-Key",
			header: [][2]string{{"Anthropic-Version", "2023-06-01"}}, body: messagesBody, read: messagesRead, fault: messagesFault}
	}
	return protocol{base: "https://api.openai.com/v1", path: "/chat/completions", secret: "OPENAI_API_KEY", keyHeader: "Authorization", keyPrefix: "Bearer ",
		body: completionsBody, read: completionsRead, fault: completionsFault}
}
