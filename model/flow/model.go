package flow

import (
	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/policy"
	"greentic.dev/model/flow/routing"
	"greentic.dev/model/flow/slot"
	"greentic.dev/model/flow/source"
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
	File        string         // where its source lies in its pack, such as flows/a.ygtc; or empty

	byID  map[string]*Node
	slots slot.Schema
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

	policy.Policies // beside its operation

	input, output, errMap *expr.Mapping
	templateErr           error             // the first template that does not compile
	when                  *expr.Condition   // nil without one
	policyErr             error             // the first policy that is wrong
	conditions            []*expr.Condition // per route of a RouteCustom; nil without condition
	conditionErr          error
	items                 *expr.Mapping // of for_each
	provider              *provider     // of provider.invoke
	texts                 bool          // its input names translations
	where                 string        // the node and its line, for reasons
	calls                 string        // the builtin it means; empty for a component
}

// Retry says how often and how fast a failed call is tried again (docs/decisions/0020).
type Retry = policy.Retry

// Pos is a place in the source of a flow; zero for flows from a manifest.
type Pos = source.Pos

// Routing says where to go after a node.
type Routing = routing.Routing

// Route is one item of a routing array.
type Route = routing.Route

// RoutingForm is which of the routing variants a node has.
type RoutingForm = routing.Form

// The routing variants of formats digest 1.3.
const (
	RouteEnd    = routing.End
	RouteReply  = routing.Reply
	RouteNext   = routing.Next
	RouteBranch = routing.Branch
	RouteCustom = routing.Custom
)
