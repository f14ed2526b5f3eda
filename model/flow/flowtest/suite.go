package flowtest

import (
	"encoding/json"
	"path"
	"strings"
	"time"

	"greentic.dev/model/flow/source"
)

// Suite is one file of cases for one flow.
type Suite struct {
	File    string
	Flow    string // file of the flow, relative to the suite; empty: the one of the same name
	Clock   time.Time
	Locale  string
	Tenant  string
	Secrets map[string]string
	Mocks   []Mock
	HTTP    []Exchange
	Cases   []Case

	src   []byte
	lines []string
}

// Case is one conversation.
type Case struct {
	Name    string
	Pos     source.Pos
	Locale  string // empty: the suite's
	User    string
	Clock   time.Time     // zero: the suite's
	Budget  time.Duration // wall time it may take; 0: no limit
	Secrets map[string]string
	State   map[string]any // of the conversation, before the first step
	Mocks   []Mock         // asked before the suite's
	HTTP    []Exchange
	Steps   []Step
	After   map[string]any // of the state after the last step; nil: anything
	at      *source.Value
}

// Mock answers for a component.
type Mock struct {
	Pos       source.Pos
	Component string // empty: any
	Operation string // empty: any
	Input     any    // a part of the input it answers to; nil: any
	Times     int    // how often it answers; 0: always
	Answer    any
	Fail      *Fail // instead of an answer
}

// Fail is a failure of a node or of a turn.
type Fail struct {
	Code      string `json:"code"`
	Message   string `json:"message,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

// Exchange answers for a server.
type Exchange struct {
	Pos    source.Pos
	Method string // empty: any
	URL    string
	Body   any // a part of the JSON body, or the whole text; nil: any
	Header map[string]string
	Times  int

	Status      int
	AnswerBody  any // JSON, or a text as it is
	AnswerHead  map[string]string
	Unavailable string // instead of an answer: why there is none
}

// Step is one thing that happens to a conversation, and what is to come of it. Exactly one of the
// fields before Want is set.
type Step struct {
	Pos     source.Pos
	Say     *string
	Click   map[string]string // data of a button
	Message *Message
	Event   *Event
	Input   json.RawMessage // of a call
	Advance time.Duration   // of the clock

	Want Want
	at   *source.Value
}

// Message is a message with everything a channel can give.
type Message struct {
	Text        string            `json:"text,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Attachments []any             `json:"attachments,omitempty"`
}

// Event is something on the bus: sent to a flow, or expected of it.
type Event struct {
	Topic   string `json:"topic"`
	Type    string `json:"type,omitempty"`
	Subject string `json:"subject,omitempty"`
	Payload any    `json:"payload,omitempty"`
}

// Want is what a step expects; what is nil or empty is not looked at.
type Want struct {
	Replies *[]Reply
	Route   *[]string // nodes in the order they ran
	Status  string
	Error   *Fail
	Events  *[]Event
	Calls   *[]Call
	Waits   *Wait
	Output  any // a part of what the last node left
	HasOut  bool

	places map[string]source.Pos
}

// Reply is an expected reply.
type Reply struct {
	Pos      source.Pos
	Text     *string  // exactly
	Contains []string // fragments of the text or of texts in the card
	Never    []string
	Card     any // a part of the card
	Buttons  *[]string
	Node     string
}

// Call is an expected call of a component.
type Call struct {
	Pos       source.Pos
	Component string
	Operation string
	Input     any // a part of the input
}

// Wait is what a conversation waits for.
type Wait struct {
	Node   string
	Reason string
	For    time.Duration // until it ends by itself; 0: not looked at
}

// At is where an expectation of a step stands, or the step.
func (s Step) At(key string) source.Pos {
	if p, ok := s.Want.places[key]; ok {
		return p
	}
	return s.Pos
}

// Outcome is what came of one step.
type Outcome struct {
	Replies []GotReply
	Route   []string
	Status  string
	Error   *Fail
	Events  []Event
	Calls   []GotCall
	Waits   *Wait
	Output  any
}

// GotReply is a reply that was given.
type GotReply struct {
	Text string `json:"text,omitempty"`
	Card any    `json:"card,omitempty"`
	Node string `json:"node,omitempty"`
}

// GotCall is a call that was made.
type GotCall struct {
	Node      string `json:"node"`
	Component string `json:"component"`
	Operation string `json:"operation,omitempty"`
	Input     any    `json:"input,omitempty"`
	Mocked    bool   `json:"mocked,omitempty"`
}

// Suffix ends the names of suites.
const Suffix = ".flowtest.yaml"

// FlowFile is the file of the flow that the suite is about.
func (s *Suite) FlowFile() string {
	dir := ""
	if i := strings.LastIndexAny(s.File, `/\`); i >= 0 {
		dir = s.File[:i+1]
	}
	if s.Flow != "" {
		return path.Clean(dir + s.Flow)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(s.File, dir), Suffix)
	return dir + name + ".ygtc"
}
