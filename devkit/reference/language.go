package reference

import (
	"fmt"
	"strings"
)

// Word is one key of the flow language.
type Word struct {
	Name    string
	Value   string // what is written behind it, in words
	Doc     string
	Example string // of a section: lines put into its frame; empty where another word's shows it
}

// Section is the words of one place in a flow.
type Section struct {
	Title string
	Intro string
	Frame string // a whole flow with EXAMPLE where an example goes
	Words []Word
}

// node is a flow around the keys of one node.
const node = "id: x\ntype: messaging\nnodes:\n  a:\n    EXAMPLE\n  b:\n    emit.response: { text: done }\n"

// called is a flow around the key of a node that does something else beside.
const called = "id: x\ntype: messaging\nnodes:\n  a:\n    component.exec: { component: my.shop, operation: quote, input: { item: \"{{entry.text}}\" } }\n    EXAMPLE\n  b:\n    emit.response: { text: done }\n"

// Language is the flow language, section by section.
func Language() []Section {
	return []Section{
		{"A flow", "A file `flows/NAME.ygtc` is one flow: YAML without anchors, at most 4 MiB.", "EXAMPLE\nnodes:\n  a:\n    emit.response: { text: hello }\n", []Word{
			{"id", "text", "The name of the flow: letters, digits, `.`, `_` and `-`. Required.", "id: order\ntype: messaging"},
			{"type", "`messaging`, `event`, `http`, `job` or `component-config`", "What starts the flow: a message, an event or a time, a call, an operator, the set-up of a component. Required; `kind` means the same.", "id: order\ntype: event"},
			{"title", "text", "What people see.", "id: order\ntype: messaging\ntitle: Order"},
			{"description", "text", "What the flow is for.", "id: order\ntype: messaging\ndescription: Takes orders"},
			{"tags", "list of texts", "`default` marks the flow that new conversations take.", "id: order\ntype: messaging\ntags: [default]"},
			{"start", "node id", "Where the flow begins. Without it the node `in`, or the first one.", "id: order\ntype: messaging\nstart: a"},
			{"entrypoints", "map of names to node ids", "Further places to begin at, for callers that name one; `default` is `start`.", "id: order\ntype: messaging\nentrypoints: { default: a, again: a }"},
			{"parameters", "map", "Values that templates and conditions read as `parameters.NAME`.", "id: order\ntype: messaging\nparameters: { currency: EUR }"},
			{"slot_schema", "list of slots", "What the flow wants to learn: each with `name`, `slot_type` (`string`, `enum`, `number`, `date`, `boolean`), and `pattern` or `enum_values`.",
				"id: order\ntype: messaging\nslot_schema:\n  - { name: size, slot_type: enum, enum_values: [small, large] }"},
			{"schema_version", "1 or 2", "Version 1 reads the operation of a node as its component; write 2 or nothing.", "id: order\ntype: messaging\nschema_version: 2"},
			{"meta", "map", "`meta: { greentic: { partials: { NAME: TEXT } } }` are the partials of the flow's templates.", "id: order\ntype: messaging\nmeta: { greentic: { partials: { name: \"{{name}}\" } } }"},
			{"nodes", "map of node ids to nodes", "The steps. An id begins with a letter or `_`. Required.", ""},
		}},
		{"What a node does", "A node has one operation: a builtin of this list, or the call of a component.", node, []Word{
			{"component.exec", "map with `component`, `operation` and `input`", "Calls a component. Without `component` the one of the pack that declares the operation. What it returns is the node's output.",
				"component.exec: { component: my.shop, operation: quote, input: { item: \"{{entry.text}}\" } }"},
			{"OPERATION", "the input", "Any other word is the operation of the one component that declares it.", "quote: { item: \"{{entry.text}}\" }"},
			{"emit.response", "map with `text`, `card` or both", "Says something to the user. Every `emit.` word but the two below does.", "emit.response: { text: \"Hello {{entry.text}}\" }"},
			{"emit.log", "anything", "Writes to the log and changes nothing.", "emit.log: { item: \"{{entry.text}}\" }"},
			{"emit.event", "map with `topic`, `type`, `subject`, `payload`", "Publishes an event once the turn has committed.", "emit.event: { topic: shop.orders, type: order.placed, payload: { item: \"{{entry.text}}\" } }"},
			{"session.wait", "map with `reason`, `timeout`, `on_timeout`", "Waits for the next input and goes on by its routing. After `timeout` (1 s to 366 days) it goes to the node `on_timeout`.",
				"session.wait: { reason: answer, timeout: 1h, on_timeout: b }\n    routing: [{ to: b }]"},
			{"state.get", "map with `key`", "Reads what was kept under a key of the conversation.", "state.get: { key: basket }"},
			{"state.set", "map with `key` and `value`", "Keeps a value under a key of the conversation.", "state.set: { key: basket, value: \"{{entry.text}}\" }"},
			{"flow.call", "map with `flow_id`, `entrypoint`, `input`", "Runs another flow of the pack with a cursor of its own; its last output is the output of the node. At most 16 deep.", "flow.call: { flow_id: pay, input: { total: 3 } }"},
			{"flow.goto", "map with `flow` or `node`, and `input`", "Goes on in another flow, or at another node, and does not come back. At most 16 jumps in a turn.", "flow.goto: { node: b }"},
			{"questions", "map with `fields`", "Asks for fields one after the other and checks the answers; they are the output.", "questions: { fields: [{ id: name, prompt: \"Your name?\", type: string, required: true }] }\n    routing: [{ to: b }]"},
			{"template", "text or map", "Renders a text from what the flow knows; it is the output.", "template: \"{{entry.text}}\""},
			{"provider.invoke", "map with `provider_id` or `provider_type`, `op`, `input`, `in_map`, `out_map`, `err_map`", "Calls a provider of the pack: the one with that id, or the only one of that type. In its maps a text that begins with `/` is a JSON Pointer.", "provider.invoke: { provider_type: messaging.mail, op: send, input: { to: \"{{entry.text}}\" } }"},
			{"mcp", "map with `server`, `tool`, `arguments`, `output`", "Calls a tool of an MCP server. It is checked and packed; this version does not run it.", "mcp: { server: files, tool: read, arguments: { path: a } }"},
		}},
		{"What stands beside the operation", "", called, []Word{
			{"routing", "see below", "Where to go next. Without it the run ends.", "routing: [{ to: b }]"},
			{"in_map", "mapping", "The input, in place of what stands behind the operation.", "in_map: { item: \"{{entry.text}}\" }"},
			{"out_map", "mapping", "The output, made of what the component returned: its fields are roots, `result` is all of it. `output` means the same.", "out_map: { price: \"{{result.total}}\" }"},
			{"err_map", "mapping", "The output of a failure, made of `code`, `message`, `retryable`, `attempts` and `details`. `error_output` means the same.", "err_map: { why: \"{{error.message}}\" }"},
			{"retry", "map with `attempts`, `backoff`, `max_backoff`, `multiplier`, `on`", "Tries again, 1 to 20 times in all. Without `on` only failures that are marked retryable; `on` lists codes or kinds, `any` is every one.", "retry: { attempts: 3, backoff: 500ms, on: [timeout, unavailable] }"},
			{"timeout", "map with `after`", "Limits one try; its passing is the retryable failure `timeout`.", "timeout: { after: 10s }"},
			{"when", "map with `condition`", "The node runs only if the condition holds; else its output is `{skipped: true}` and its default route counts.", "when: { condition: 'entry.text != \"\"' }"},
			{"operation", "text", "The operation, beside `component.exec` or the old form `component`, `payload`, `routes`.", "operation: quote"},
			{"telemetry", "map with `span_name`, `attributes`, `sampling`", "Names and marks the span of the node.", "telemetry: { span_name: price, attributes: { team: shop } }"},
			{"annotations", "map", "Kept for tools; it changes nothing.", "annotations: { x: 10 }"},
			{"meta", "map", "`meta: { greentic: { compensate: NODE } }` names the node that undoes this one when the run fails later.", "meta: { greentic: { compensate: b } }"},
		}},
		{"Many things at once", "Under `meta: { greentic: … }` of a node, where other readers look past it. At most 1 000 branches side by side; a branch cannot wait for input.", called, []Word{
			{"for_each", "map with `items`, `concurrency`, `on_error`", "Runs the operation once for each item, with the roots `item` and `index`; the output is the list of results in the order of the items. `concurrency` is 8, at most 64; `on_error` is `fail` or `continue`.",
				"meta: { greentic: { for_each: { items: \"{{entry.items}}\", concurrency: 4, on_error: continue } } }"},
			{"parallel", "map with `branches`, `concurrency`, `on_error`", "Runs the operation and then the branches, each by its own routes to their end; the output has what each branch left under its name.",
				"meta: { greentic: { parallel: { branches: { one: b } } } }"},
		}},
		{"Routing", "A node's output has a status: `status` if it is a text, else `route`, else `action` of the answer when it names one, else `ok` or `error`. The first route that fits is taken; the run ends when none does.", called, []Word{
			{"`routing: out`", "", "The run ends. `reply` ends it and answers.", "routing: out"},
			{"`routing: [ROUTE…]`", "", "A list of routes, of which the first that fits is taken.", "routing:\n      - { status: error, to: b }\n      - { condition: 'prev.total > 100', to: b }\n      - { to: b }"},
			{"to", "node id", "Where the route leads.", ""},
			{"status", "text", "The status that takes the route.", ""},
			{"condition", "condition", "What must hold for the route.", ""},
			{"out", "`true`", "The run ends here.", "routing: [{ condition: 'prev.total > 100', to: b }, { out: true }]"},
			{"reply", "`true`", "The run ends here and answers.", "routing: [{ reply: true }]"},
		}},
		{"Templates", "Texts in mappings may hold `{{…}}`. A text that is one expression gives the value itself, with its type.", node, []Word{
			{"`{{path.to.value}}`", "", "A value by its path; missing is nothing. Roots: `entry` (what began the run), `input` (the newest input), `prev` (the last output), `node.ID` or `ID` (the output of a node), `state`, `parameters`, `response`.",
				"emit.response: { text: \"Hello {{entry.text}}\" }"},
			{"`{{#if path}}…{{else}}…{{/if}}`", "", "One of two texts. `unless` is the opposite.", "emit.response: { text: \"{{#if entry.text}}yes{{else}}no{{/if}}\" }"},
			{"`{{#each path}}…{{/each}}`", "", "A text for each item: `{{this}}`, `{{@index}}`.", "emit.response: { text: \"{{#each entry.items}}{{this}}, {{/each}}\" }"},
			{"`{{#with path}}…{{/with}}`", "", "A text with a value as the root. `{{#path}}…{{/path}}` is each or with, as the value is.", "emit.response: { text: \"{{#with entry}}{{text}}{{/with}}\" }"},
			{"`{{else if path}}`, `{{#ifEq a b}}…{{/ifEq}}`", "", "Further cases; two values that are equal, texts without regard to case.", "emit.response: { text: \"{{#ifEq entry.text 'yes'}}yes{{else if entry.text}}what?{{/ifEq}}\" }"},
			{"`{{default path value}}`, `{{json path}}`", "", "A value for what is missing; a value as JSON.", "emit.response: { text: \"{{default entry.text 'nothing'}} {{json entry.list}}\" }"},
			{"`../`", "", "The context around a block.", "emit.response: { text: \"{{#each entry.items}}{{this}} of {{../entry.text}} {{/each}}\" }"},
			{"`{{> NAME}}`", "", "A partial: a text under `meta: { greentic: { partials: { NAME: TEXT } } }` of the flow. Partials may include each other, at most 64 deep.", ""},
			{"`{{! words }}`, `\\{{`", "", "A comment; braces that mean themselves.", "emit.response: { text: \"{{! said to everybody }}Hello\" }"},
			{"`{{i18n:KEY}}`", "", "A text of `assets/i18n/LOCALE.json`: the exact locale, else its language, else `en`.", "emit.response: { text: \"{{i18n:greet}}\" }"},
		}},
		{"Conditions", "Conditions are CEL with a limit of cost, over the same roots as templates.", "id: x\ntype: messaging\nnodes:\n  a:\n    emit.log: {}\n    routing: [{ condition: 'EXAMPLE', to: b }, { out: true }]\n  b:\n    emit.response: { text: done }\n", []Word{
			{"`path == literal`, `path != literal`", "", "Texts are compared without regard to case; what is missing equals nothing.", "entry.text == \"yes\""},
			{"`has(path)`", "", "Whether there is a value.", "has(entry.text)"},
			{"`&&`, `||`, `!`", "", "And, or, not.", "has(entry.text) && !(entry.text == \"no\")"},
			{"`<`, `<=`, `>`, `>=`, `+`, `in`, …", "", "As in CEL; a missing path is `null`.", "prev.total > 100"},
		}},
	}
}

// FlowLanguage is docs/reference/flow-language.md.
func FlowLanguage() string {
	var b strings.Builder
	b.WriteString(header("The flow language"))
	b.WriteString("`greentic flow check` says where a flow departs from this page, with file, line, column and fix; `errors.md` lists what it says.\n" +
		"Why it is so: `../decisions/0010-conditions-and-templates.md`, `../decisions/0020-node-policies.md`.\n")
	for _, s := range Language() {
		fmt.Fprintf(&b, "\n## %s\n", s.Title)
		if s.Intro != "" {
			fmt.Fprintf(&b, "\n%s\n", s.Intro)
		}
		for _, w := range s.Words {
			name := w.Name
			if !strings.Contains(name, "`") {
				name = "`" + name + "`"
			}
			fmt.Fprintf(&b, "\n### %s\n\n", name)
			if w.Value != "" {
				fmt.Fprintf(&b, "Value: %s. ", w.Value)
			}
			b.WriteString(w.Doc + "\n")
			if w.Example != "" {
				fmt.Fprintf(&b, "\n```yaml\n%s\n```\n", strings.ReplaceAll(w.Example, "\n    ", "\n"))
			}
		}
	}
	return b.String()
}

// header begins a page.
func header(title string) string {
	return "# " + title + "\n\n<!-- Written by make reference from devkit/reference; do not edit. -->\n\n"
}
