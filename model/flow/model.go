package flow

import (
	"encoding/json"

	"greentic.dev/model/flow/expr"
)

// Flow is a compiled flow: the ecosystem's flow-v1 model (formats digest 1.3) plus source
// positions. It is immutable after Compile or FromManifest and safe for concurrent use.
type Flow struct {
	ID          string
	Kind        Kind
	Title       string
	Description string
	Tags        []string          // sorted, unique
	Entrypoints map[string]string // name -> node id; "default" when there is a start
	Nodes       []*Node           // in document order
	Parameters  map[string]any
	Extra       map[string]any // metadata.extra, preserved

	byID map[string]*Node
}

// Kind is the sort of a flow.
type Kind string

// The kinds of flow.
const (
	Messaging       Kind = "messaging"
	Event           Kind = "event"
	ComponentConfig Kind = "component_config"
	Job             Kind = "job"
	HTTP            Kind = "http"
)

// Node is one step of a flow.
type Node struct {
	ID        string
	Component string // component id, builtin name, or "component.exec"
	Alias     string // pack alias of the component, or empty
	Operation string // empty when the mapping or the component decides
	Input     any    // mapping: JSON-like values with templates in strings
	Output    any    // output mapping or nil
	ErrMap    any    // error mapping or nil
	Routing   Routing
	Telemetry map[string]any // span_name, attributes, sampling; or nil
	Pos       Pos

	input, output, errMap *expr.Mapping
	templateErr           error             // the first template that does not compile
	conditions            []*expr.Condition // per route of a RouteCustom; nil without condition
	conditionErr          error
}

// Pos is a place in the source of a flow; zero for flows from a manifest.
type Pos struct{ Line, Col int }

// RoutingForm is which of the routing variants a node has.
type RoutingForm uint8

// The routing variants of formats digest 1.3.
const (
	RouteEnd RoutingForm = iota
	RouteReply
	RouteNext
	RouteBranch
	RouteCustom
)

// Routing says where to go after a node.
type Routing struct {
	Form    RoutingForm
	To      string            // RouteNext
	Status  map[string]string // RouteBranch: status -> node id
	Default string            // RouteBranch: node id or ""
	Routes  []Route           // RouteCustom, in order
	Raw     json.RawMessage   // RouteCustom: the array as it was written, preserved
}

// Route is one item of a routing array; Next is folded into To.
type Route struct {
	To        string `json:"to,omitempty"`
	Out       bool   `json:"out,omitempty"`
	Reply     bool   `json:"reply,omitempty"`
	Status    string `json:"status,omitempty"`
	Condition string `json:"condition,omitempty"`
	Pos       Pos    `json:"-"`
}

// Cursor is where a run of a flow stands: plain data, JSON-serialisable, the whole state of
// a parked session. Next never changes the cursor it is given.
type Cursor struct {
	Flow   string `json:"flow"`
	Node   string `json:"node"`
	Parked bool   `json:"parked,omitempty"` // waiting for input at Node
	// Reroute: the wait came from routing without a match; the next input re-evaluates the
	// routing of Node instead of running it (formats digest 1.4).
	Reroute bool              `json:"reroute,omitempty"`
	Steps   int               `json:"steps,omitempty"` // nodes executed in this turn
	Limit   int               `json:"limit,omitempty"` // of Steps; 0 is MaxSteps
	Entry   any               `json:"entry"`           // the first input, immutable across resumes
	Input   any               `json:"input"`           // the newest input
	Nodes   map[string]Output `json:"nodes,omitempty"` // outputs so far
	Prev    any               `json:"prev,omitempty"`  // payload of the node before
	Last    string            `json:"last,omitempty"`  // node executed last
}

// Output is what a node left behind.
type Output struct {
	OK      bool `json:"ok"`
	Payload any  `json:"payload"`
	Meta    any  `json:"meta,omitempty"`
}

// Got is what happened since the step that Next returned.
type Got struct {
	What  What
	Value any       // GotOutput: the node's output; GotInput: the new message input
	Error *NodeFail // GotError
}

// What is the sort of a Got.
type What uint8

// What can have happened.
const (
	GotStart  What = iota // run the node the cursor points at, from the beginning
	GotOutput             // the invocation answered
	GotError              // the invocation failed
	GotInput              // a parked run received its next input
)

// NodeFail is the failure of a node.
type NodeFail struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable,omitempty"`
	Details   any    `json:"details,omitempty"`
}

// Do is what the runner must do next.
type Do uint8

// The steps.
const (
	DoInvoke   Do = iota // call a component
	DoEmit               // collect Payload as an output, then call Next with GotOutput{Payload}
	DoLog                // log Payload, then GotOutput{Payload}
	DoStateGet           // read Key, then GotOutput{key, value, found}
	DoStateSet           // write Key = Payload, then GotOutput{key, value}
	DoWait               // park; store Cursor
	DoEnd                // finished
	DoFail               // finished with Fail
)

// Step is the decision of Next: what to do and the cursor from which to go on.
type Step struct {
	Do        Do
	Cursor    Cursor // pass this to the next call of Next
	Node      string // the node that acts
	Component string // DoInvoke
	Operation string // DoInvoke; empty when the component decides
	Input     any    // DoInvoke: rendered
	Config    any    // DoInvoke: rendered, or nil
	Payload   any    // DoEmit, DoLog, DoStateSet
	Key       string // DoStateGet, DoStateSet
	Reason    string // DoWait: why; routing: see Why
	Reply     bool   // DoEnd: the route said reply
	Fail      *NodeFail
	Why       string // the routing decision in words, with the position of the route
}
