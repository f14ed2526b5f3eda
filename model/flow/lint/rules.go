package lint

import "slices"

// Rule is one thing that a check of a flow can find. Findings name it as their class.
type Rule struct {
	ID    string
	Level string // error or warning
	Short string // what is wrong, in one sentence
	Help  string // why it is wrong and what to do
}

// The rules of this package; the others are the compiler's and the pack builder's.
const (
	UnreachableNode = "UnreachableNode"
	DeadRoute       = "DeadRoute"
	DeadCondition   = "DeadCondition"
	TemplateName    = "TemplateName"
	TemplateOrder   = "TemplateOrder"
	Translation     = "Translation"
	Payload         = "Payload"
	Operation       = "Operation"
	ComponentSchema = "ComponentSchema"
	Capability      = "Capability"
	Comparison      = "Comparison"
	Secret          = "Secret"
	Host            = "Host"
	MissingFlow     = "MissingFlow"
)

// Rules are all rules, sorted by their names. The error catalogue is made from them.
func Rules() []Rule { return slices.Clone(rules[:]) }

// RuleOf is the rule with an id; ok is false when there is none.
func RuleOf(id string) (r Rule, ok bool) {
	i := slices.IndexFunc(rules[:], func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{ID: id}, false
	}
	return rules[i], true
}

var rules = [...]Rule{
	{"BadComponentKey", "error", "The name of an operation has characters it must not have.",
		"An operation key begins with a letter or _ and goes on with letters, digits, dots, _ and -."},
	{Capability, "warning", "A component uses something of the host that its manifest does not declare.",
		"What is not declared is denied when the component asks for it. Add it under capabilities.host of component.manifest.json, or build the component without it."},
	{Comparison, "warning", "A condition compares a value with what it can never be.",
		"The component says in its output schema of what sort the value is. A comparison that no such value answers to never holds, or fails when the flow runs."},
	{ComponentSchema, "warning", "The schema of a component's operation cannot be used.",
		"The input of the operation is not checked until the schema is a JSON Schema with patterns that are regular expressions."},
	{DeadCondition, "warning", "The condition of a node always holds or never does.",
		"A node whose condition always holds needs none; one whose condition never holds never runs. Both mostly mean that a name or a literal is misspelt."},
	{DeadRoute, "warning", "A route is never taken.",
		"Routes with a condition or a status are tried in order, then the first route without either. A route is dead when its condition never holds, when the routes before it hold whenever it does, or when it is a second route for everything else."},
	{Host, "warning", "A component calls a host that the pack does not declare.",
		"Outgoing requests need a host that the pack lists in its extension greentic.egress.v1, or one that an operator allows. Everything else is denied."},
	{"InvalidIdentifier", "error", "An id has characters it must not have.",
		"A flow id has letters, digits, dots, _ and -; a node id begins with a letter or _."},
	{"McpConfig", "error", "A call of an MCP tool lacks its server or its tool.",
		"Write mcp: { server: NAME, tool: NAME, arguments: {} }."},
	{MissingFlow, "error", "A node goes on with a flow that its pack does not have.",
		"flow.call and flow.goto name flows of the same pack by their ids."},
	{"MissingNode", "error", "A route leads to a node that does not exist.",
		"Add the node or name one that exists; the finding suggests the nearest name."},
	{"NodeComponentShape", "error", "A node has no operation, or several.",
		"A node has exactly one key that is not routing, output, retry or another of the reserved ones: what it does."},
	{Operation, "warning", "A component does not declare the operation that a node calls.",
		"Operations stand in component.manifest.json. Some components accept others as well, so this is a warning."},
	{"PACK_FLOW_COMPONENT_MISSING", "error", "A node calls a component that its pack does not have.",
		"List the component in pack.yaml, or check the flow alone with --structure-only."},
	{"Pack", "error", "The pack around the flow is wrong, or there is none.",
		"The components of a flow are those of its pack: the nearest folder above it with a pack.yaml."},
	{Payload, "error", "The input of a component does not fit its schema.",
		"The schema stands in the component's manifest, under the operation. Values that templates fill are not judged."},
	{"Policy", "error", "A retry, timeout, when or compensate of a node is wrong.",
		"See the reference of the flow language for the keys of each and their limits."},
	{"Routing", "error", "The routing of a node cannot be read.",
		"Routing is out, reply, or a list of maps with to, status, condition, out and reply. Conditions are CEL."},
	{"Schema", "error", "A key of the flow is missing, unknown or of the wrong sort.",
		"See the reference of the flow language for the keys and their types."},
	{Secret, "warning", "A component reads a secret that it does not declare.",
		"Secrets that component.manifest.json does not list under secret_requirements are never handed out."},
	{"Template", "warning", "A template cannot be read.",
		"The node fails when it runs. A template is text with {{path}}, {{#if}}, {{#unless}}, {{#each}} and {{#with}}."},
	{TemplateName, "warning", "A template names something that does not exist.",
		"A path begins with entry, in, input, prev, node, state, parameters, response or the id of a node. What does not exist is filled with nothing."},
	{TemplateOrder, "warning", "A template names a node that never runs before this one.",
		"Its output is not there yet, so the template is filled with nothing."},
	{Translation, "warning", "A text has no translation under a key.",
		"The user would see the key. Add it to assets/i18n/en.json of the pack."},
	{"UnknownFlowType", "error", "The type of the flow is unknown.",
		"Use messaging, event, component-config, job or http."},
	{UnreachableNode, "warning", "No route leads to a node.",
		"Nothing runs it, unless a card button names it. Route to it, or remove it."},
	{"Yaml", "error", "The file is not the YAML that flows are written in.",
		"Flows use one document without anchors, aliases, tags and duplicate keys, of at most 4 MiB."},
}
