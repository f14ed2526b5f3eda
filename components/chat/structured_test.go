package chat_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/components/chat"
	"greentic.dev/components/schema"
	"greentic.dev/internal/testserver/llm"
	"greentic.dev/sdk/go/greentic"
)

var person = map[string]any{"type": "object", "required": []any{"name", "age"}, "additionalProperties": false, "properties": map[string]any{
	"name": map[string]any{"type": "string"}, "age": map[string]any{"type": "integer", "minimum": int64(0)}}}

func fits(t *testing.T, doc map[string]any) func(any) []string {
	s, err := schema.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return s.Problems
}

// says is an answer as the protocol of the client gives structured ones.
func says(c *chat.Client, json string) llm.Reply {
	if c.Endpoints[0].Protocol == "anthropic" && c.Endpoints[0].Structured != "prompt" {
		return llm.Reply{Calls: []llm.Call{{ID: "1", Name: "answer", Arguments: json}}}
	}
	return llm.Reply{Text: json}
}

func TestAnAnswerThatFitsIsAValue(t *testing.T) {
	both(t, func(t *testing.T, s *llm.Server, c *chat.Client, stream bool) {
		for _, way := range []string{"native", "prompt"} {
			c.Endpoints[0].Structured = way
			s.Next(says(c, `{"name":"Ada","age":36}`))
			a, err := c.Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person), Stream: stream})
			if err != nil || !reflect.DeepEqual(a.Value, map[string]any{"name": "Ada", "age": int64(36)}) || a.Repairs != 0 || a.Finish != "stop" || a.ToolCalls != nil {
				t.Errorf("%s: %v %+v", way, err, a)
			}
		}
	})
}

func TestAnAnswerThatDoesNotFitIsAskedForAgainSayingWhy(t *testing.T) {
	both(t, func(t *testing.T, s *llm.Server, c *chat.Client, stream bool) {
		s.Next(says(c, `{"name":"Ada","age":"36"}`), llm.Reply{Text: "Sorry, I am not sure."}, says(c, `{"name":"Ada","age":36}`))
		a, err := c.Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person), Stream: stream})
		if err != nil || a.Repairs != 2 || a.Value == nil || a.Usage.Requests != 3 || a.Usage.Output < 3 {
			t.Fatalf("%v %+v", err, a)
		}
		body := s.Asked()[1].Body
		text, err := greentic.EncodeJSON(body["messages"])
		if err != nil || !strings.Contains(string(text), "$.age: got string, want integer") || !strings.Contains(string(text), "Ada") {
			t.Errorf("the model was told %s %v", text, err)
		}
	})
}

func TestAfterTheRepairsTheProblemsAreTheError(t *testing.T) {
	both(t, func(t *testing.T, s *llm.Server, c *chat.Client, stream bool) {
		s.Next(says(c, `{}`), says(c, `{}`), says(c, `{"name":"Ada","age":-1}`))
		_, err := c.Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person), Stream: stream})
		var e *greentic.Error
		if !errors.As(err, &e) || e.Code != chat.CodeSchema || e.Retryable || len(s.Asked()) != 3 {
			t.Fatalf("%v after %d", err, len(s.Asked()))
		}
		details := e.Details.(map[string]any)
		if p := details["problems"].([]string); len(p) != 1 || !strings.HasPrefix(p[0], "$.age: ") || details["usage"].(chat.Usage).Requests != 3 {
			t.Errorf("%v", details)
		}
	})
}

func TestWordsAndFencesAroundAnAnswerAreTakenOff(t *testing.T) {
	for _, text := range []string{
		"```json\n{\"name\":\"Ada\",\"age\":36}\n```",
		"Here you are:\n\n```\n{\"name\":\"Ada\",\"age\":36}\n```\nAnything else?",
		"Sure! {\"name\":\"Ada\",\"age\":36} is the answer.",
		"  {\"name\":\"Ada\",\"age\":36}\n",
	} {
		s := llm.Start(t)
		s.Next(llm.Reply{Text: text})
		a, err := client(t, s, "m").Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person)})
		if err != nil || a.Repairs != 0 || a.Value.(map[string]any)["name"] != "Ada" {
			t.Errorf("%q: %v %+v", text, err, a)
		}
	}
}

func TestASchemaThatIsNoObjectIsAskedForInOne(t *testing.T) {
	list := map[string]any{"type": "array", "items": map[string]any{"$ref": "#/$defs/n"}, "$defs": map[string]any{"n": map[string]any{"type": "integer"}}}
	both(t, func(t *testing.T, s *llm.Server, c *chat.Client, stream bool) {
		s.Next(says(c, `{"value":[1,"2"]}`), says(c, `{"value":[1,2]}`))
		a, err := c.Ask(chat.Request{Messages: []chat.Message{user("count")}, Schema: list, Problems: fits(t, list), Stream: stream})
		if err != nil || a.Repairs != 1 || !reflect.DeepEqual(a.Value, []any{int64(1), int64(2)}) {
			t.Errorf("%v %+v", err, a)
		}
	})
}

func TestToolsMayBeCalledBeforeTheAnswer(t *testing.T) {
	both(t, func(t *testing.T, s *llm.Server, c *chat.Client, stream bool) {
		s.Next(llm.Reply{Calls: []llm.Call{{ID: "1", Name: "lookup", Arguments: `{"name":"Ada"}`}}})
		a, err := c.Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person), Tools: []chat.Tool{{Name: "lookup"}}, Stream: stream})
		if err != nil || a.Finish != "tool_calls" || len(a.ToolCalls) != 1 || a.Value != nil {
			t.Errorf("%v %+v", err, a)
		}
	})
}

func TestAnAnswerCutAtItsLimitIsNoAnswer(t *testing.T) {
	both(t, func(t *testing.T, s *llm.Server, c *chat.Client, stream bool) {
		r := says(c, `{"name":"Ada","age":36}`)
		r.Finish = "length"
		s.Next(r)
		if _, err := c.Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person), Stream: stream}); code(err) != chat.CodeLength {
			t.Error(err)
		}
	})
}

func TestAFailureDuringARepairIsThatFailure(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Text: "{}"}, llm.Reply{Status: 429, RetryAfter: "2"})
	if _, err := client(t, s, "m").Ask(chat.Request{Messages: []chat.Message{user("who?")}, Schema: person, Problems: fits(t, person)}); code(err) != chat.CodeRateLimited {
		t.Error(err)
	}
}
