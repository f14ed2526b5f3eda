package flow

import (
	"encoding/json"
	"maps"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/form"
)

// ask puts the next question of a questions node, or ends it with all answers. problem says what was
// wrong with the last one.
func (f *Flow) ask(c Cursor, n *Node, input any, problem string) Step {
	questions, wrong := form.Read(input)
	if len(wrong) > 0 {
		return f.failure(c, n, "questions", "%s", wrong[0].Message)
	}
	c = c.answering()
	if c.Asking == "" {
		if said := questions.Prefill(c.Answers, c.Entry); said != "" {
			problem = said
		}
	}
	field := questions.Next(c.Answers)
	if field == nil {
		c.Asking = ""
		return f.settle(c, n, questions.Result(c.Answers))
	}
	if fail := c.waits(); fail != nil {
		return f.fail(c, n, fail, n.where+": "+fail.Message)
	}
	c.Asking = field.ID
	return Step{Do: DoEmit, Cursor: c, Node: n.ID, Payload: field.Ask(problem)}
}

// asked waits for the answer to what ask has said.
func (f *Flow) asked(c Cursor, n *Node) Step {
	c.Parked = true
	return Step{Do: DoWait, Cursor: c, Node: n.ID, Reason: c.Asking}.because(reasoning{RuleWait, n.Pos, n.where + " asks for " + c.Asking})
}

// answered takes the newest input as the answer to the question that was asked.
func (f *Flow) answered(c Cursor, n *Node) Step {
	r := reasoning{RuleResume, n.Pos, n.where + " got an answer for " + c.Asking}
	input, err := n.input.Render(f.scope(c, n.input.Roots(), nil), true)
	if err != nil {
		return f.failed(c, n, "input_mapping", err)
	}
	questions, _ := form.Read(input)
	problem := ""
	if field := questions.Field(c.Asking); field != nil {
		c = c.answering()
		if problem = questions.Answer(c.Answers, field, form.Response(c.Input)); problem == "" {
			if c, problem = f.fill(c, map[string]any{c.Asking: c.Answers[c.Asking]}); problem != "" {
				delete(c.Answers, c.Asking)
			}
		}
	}
	c.Steps++
	return f.ask(c, n, input, problem).because(r)
}

// answering is c with a map of answers of its own.
func (c Cursor) answering() Cursor {
	answers := map[string]any{}
	maps.Copy(answers, c.Answers)
	c.Answers = answers
	return c
}

// rendered is what a template node leaves: its text, or in a component-config flow the JSON it
// renders to.
func (f *Flow) rendered(c Cursor, n *Node, input any) Step {
	if s, ok := input.(string); ok && f.Kind == ComponentConfig {
		var v any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return f.failed(c, n, "template", fault.Newf(fault.Invalid, "template", "it does not render to JSON: %v", err))
		}
		input = v
	}
	if m, _ := input.(map[string]any); f.Kind == ComponentConfig && (firstText(m, "node_id") == "" || m["node"] == nil) {
		return f.failure(c, n, "template", "a component-config template renders to {node_id, node}")
	}
	return Step{Do: DoRender, Cursor: c, Node: n.ID, Payload: input}
}
