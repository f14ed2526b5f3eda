package flow

import "time"

// Cursor is where a run of a flow stands: plain data, JSON-serialisable, the whole state of
// a parked session. Next never changes the cursor it is given. Fields are only ever added, so
// that a cursor an older version stored still loads.
type Cursor struct {
	Flow   string `json:"flow"`
	Node   string `json:"node"`
	Parked bool   `json:"parked,omitempty"` // waiting for input at Node
	// Reroute: the wait came from routing without a match; the next input re-evaluates the
	// routing of Node instead of running it (formats digest 1.4).
	Reroute   bool              `json:"reroute,omitempty"`
	OnTimeout string            `json:"on_timeout,omitempty"` // Parked: the node GotTimeout goes to
	Attempt   int               `json:"attempt,omitempty"`    // tries of Node begun so far
	Steps     int               `json:"steps,omitempty"`      // nodes executed in this turn
	Limit     int               `json:"limit,omitempty"`      // of Steps; 0 is MaxSteps
	Entry     any               `json:"entry"`                // the first input, immutable across resumes
	Input     any               `json:"input"`                // the newest input
	Nodes     map[string]Output `json:"nodes,omitempty"`      // outputs so far
	Prev      any               `json:"prev,omitempty"`       // payload of the node before
	Last      string            `json:"last,omitempty"`       // node executed last

	// Entrypoint is where a run that was called begins; its Node is empty until then.
	Entrypoint string         `json:"entrypoint,omitempty"`
	Jumps      int            `json:"jumps,omitempty"`   // jumps in this turn
	Asking     string         `json:"asking,omitempty"`  // the question of Node that is asked
	Answers    map[string]any `json:"answers,omitempty"` // to questions; seen as state
	Caller     *Cursor        `json:"caller,omitempty"`  // the run that called this one and goes on when it ends

	Slots  map[string]any `json:"slots,omitempty"` // filled so far
	Within *Within        `json:"-"`               // of a branch; see Rejoin

	Compensations []Compensation `json:"compensations,omitempty"` // in the order the nodes succeeded
	Failure       *Failure       `json:"failure,omitempty"`       // why the run compensates; nil while it goes forward
}

// Output is what a node left behind.
type Output struct {
	OK      bool `json:"ok"`
	Payload any  `json:"payload"`
	Meta    any  `json:"meta,omitempty"`
}

// Compensation is a node that succeeded and is undone when the run fails later.
type Compensation struct {
	Node   string    `json:"node"`
	By     string    `json:"by"`             // the node that undoes it
	Output Output    `json:"output"`         // of Node, when it succeeded
	Done   bool      `json:"done,omitempty"` // By has run
	Fail   *NodeFail `json:"fail,omitempty"` // how By failed
}

// Failure is the failure a run ends with after its compensations.
type Failure struct {
	Node string   `json:"node"`
	Fail NodeFail `json:"fail"`
	Why  string   `json:"why"`
}

// Got is what happened since the step that Next returned.
type Got struct {
	What     What
	Value    any        // GotOutput: the node's output; GotInput: the new message input
	Error    *NodeFail  // GotError, GotAbort
	Branches []Branched `json:",omitempty"` // GotJoin: those that began, in order
}

// What is the sort of a Got.
type What uint8

// What can have happened.
const (
	GotStart   What = iota // run the node the cursor points at, from the beginning
	GotOutput              // the invocation answered
	GotError               // the invocation failed
	GotInput               // a parked run received its next input
	GotRetry               // the delay of a DoRetry is over
	GotTimeout             // the timeout of a DoWait is over
	GotAbort               // the run is to end with Error, whatever it was about to do; what has succeeded is undone
	GotJoin                // the branches of a DoFork have ended
)

// NodeFail is the failure of a node.
type NodeFail struct {
	Code      string        `json:"code"`
	Kind      string        `json:"kind,omitempty"` // the fault kind, when it is not the code
	Message   string        `json:"message"`
	Retryable bool          `json:"retryable,omitempty"`
	Backoff   time.Duration `json:"-"` // how long the component wants to be left alone; a lower bound of Step.Delay
	Details   any           `json:"details,omitempty"`
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
	DoWait               // park; store Cursor; after Timeout, if there is one, GotTimeout
	DoEnd                // finished
	DoFail               // finished with Fail; the compensations, if any, are done
	DoRetry              // wait for Delay at least, then GotRetry
	DoCall               // begin the run of another flow: Next of that flow with Cursor and GotStart, or GotError for Cursor.Caller when there is none
	DoReturn             // a run that was called has ended: GotError with Fail, else GotOutput with Payload, for the flow of Cursor
	DoJump               // go on in another flow: as DoCall, but nobody waits for it
	DoFork               // run Branches, each from GotStart to DoEnd or DoFail, Concurrency side by side and begun in order; after a failure begin no more, unless Continue; then GotJoin
	DoRender             // Payload is what a template node made: GotOutput{Payload}
	DoPublish            // publish Payload to Topic, then GotOutput{Payload}
)

// The rules a step can name: which part of the flow language decided it.
const (
	RuleStart      = "start"       // the run begins
	RuleResume     = "resume"      // a parked run goes on
	RuleNext       = "next"        // the only route
	RuleStatus     = "status"      // a route for the status of the output
	RuleCondition  = "condition"   // a route whose condition holds
	RuleDefault    = "default"     // the route for everything else
	RuleErrorRoute = "error_route" // any of these, after a failure that err_map or a status route caught
	RuleRetry      = "retry"       // the retry policy of the node
	RuleWhen       = "when"        // a node was skipped
	RuleJump       = "jump"        // a component or flow.goto said where to go on
	RuleFork       = "fork"        // for_each or parallel
	RuleWait       = "wait"        // session.wait, or no route matches
	RuleTimeout    = "timeout"     // a wait came to its end
	RuleCompensate = "compensate"  // a node that succeeded is undone
	RuleEnd        = "end"         // there is no way on
	RuleFail       = "fail"        // a failure nobody caught
)

// Step is the decision of Next: what to do and the cursor from which to go on.
type Step struct {
	Do                     Do
	Cursor                 Cursor // pass this to the next call of Next
	Node                   string // the node that acts
	Component              string // DoInvoke; empty for a provider
	Provider, ProviderType string // DoInvoke of provider.invoke: which one, one of them may be empty
	Texts                  bool   // DoInvoke: {{i18n:KEY}} in Input is to be translated
	Operation              string // DoInvoke; empty when the component decides
	Input                  any    // DoInvoke, DoCall: rendered
	Config                 any    // DoInvoke: rendered, or nil
	Payload                any    // DoEmit, DoLog, DoStateSet, DoRender; DoReturn: the output; DoPublish: topic, payload and whatever stands beside them
	Key                    string // DoStateGet, DoStateSet
	Topic                  string // DoPublish
	Attempt                int    // DoInvoke: which try this is, from 1; DoRetry: which one failed
	Timeout                time.Duration
	Delay                  time.Duration // DoRetry: without jitter
	Reason                 string        // DoWait: why; routing: see Why
	Reply                  bool          // DoEnd: the route said reply
	Fail                   *NodeFail     // DoFail; DoReturn: how the run failed, or nil; DoRetry: how the try failed
	Branches               []Cursor      // DoFork
	Names                  []string      // DoFork: of the branches
	Concurrency            int           // DoFork: at least 1
	Continue               bool          // DoFork
	Skipped                []string      // nodes that were skipped on the way here, in order
	Rule                   string        // the routing decision: one of the rules
	At                     Pos           // the node or route that decided; zero when its source is not known
	Why                    string        // the same in words
}
