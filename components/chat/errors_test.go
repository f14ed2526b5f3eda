package chat_test

import (
	"errors"
	"strings"
	"testing"

	"greentic.dev/components/chat"
	"greentic.dev/internal/testserver/llm"
	"greentic.dev/sdk/go/greentic"
)

func code(err error) string {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestEveryFailureHasACodeAndSaysWhetherToTryAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		reply   llm.Reply
		code    string
		retry   bool
		backoff int
	}{
		{"wrong key", llm.Reply{Status: 401}, chat.CodeUnauthenticated, false, 0},
		{"forbidden", llm.Reply{Status: 403}, chat.CodeDenied, false, 0},
		{"bad request", llm.Reply{Status: 400, Message: "temperature must be <= 2"}, chat.CodeInvalidRequest, false, 0},
		{"unknown model", llm.Reply{Status: 404}, chat.CodeNoModel, false, 0},
		{"too large", llm.Reply{Status: 413}, chat.CodeTooLong, false, 0},
		{"too long, openai", llm.Reply{Status: 400, Code: "context_length_exceeded", Message: "This model's maximum context length is 8192 tokens."}, chat.CodeTooLong, false, 0},
		{"too long, anthropic", llm.Reply{Status: 400, Message: "prompt is too long: 210000 tokens > 200000 maximum"}, chat.CodeTooLong, false, 0},
		{"rate limit", llm.Reply{Status: 429, RetryAfter: "7"}, chat.CodeRateLimited, true, 7000},
		{"rate limit without a pause", llm.Reply{Status: 429}, chat.CodeRateLimited, true, 0},
		{"no credit", llm.Reply{Status: 429, Code: "insufficient_quota"}, chat.CodeQuota, false, 0},
		{"server error", llm.Reply{Status: 500}, chat.CodeUnavailable, true, 0},
		{"unavailable", llm.Reply{Status: 503, RetryAfter: "1.5"}, chat.CodeUnavailable, true, 1500},
		{"overloaded", llm.Reply{Status: 529}, chat.CodeUnavailable, true, 0},
		{"a page of a proxy", llm.Reply{Status: 502, Raw: "<html>Bad Gateway</html>", RawType: "text/html"}, chat.CodeUnavailable, true, 0},
		{"filtered input", llm.Reply{Status: 400, Code: "content_filter"}, chat.CodeContentFilter, false, 0},
		{"filtered answer", llm.Reply{Finish: "content_filter"}, chat.CodeContentFilter, false, 0},
		{"no JSON", llm.Reply{Raw: `{"choices": [`}, chat.CodeMalformed, true, 0},
		{"a page with status 200", llm.Reply{Raw: "<html>", RawType: "text/html"}, chat.CodeMalformed, true, 0},
		{"another document", llm.Reply{Raw: `{"hello": "world"}`}, chat.CodeMalformed, true, 0},
		{"a list", llm.Reply{Raw: `[]`}, chat.CodeMalformed, true, 0},
		{"hung up", llm.Reply{Hangup: true}, chat.CodeUnreachable, true, 0},
	} {
		for _, model := range []string{"m", "anthropic:m"} {
			s := llm.Start(t)
			s.Next(c.reply)
			_, err := client(t, s, model).Ask(chat.Request{Messages: []chat.Message{user("hi")}})
			var e *greentic.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Retryable != c.retry || e.BackoffMS != c.backoff {
				t.Errorf("%s, %s: %+v", c.name, model, err)
				continue
			}
			if e.Details.(map[string]any)["model"] != "m" || strings.Contains(e.Message, llm.Key) {
				t.Errorf("%s, %s: %+v", c.name, model, e)
			}
			if n := len(s.Asked()); n != 1 {
				t.Errorf("%s, %s: %d requests, it may be for the flow to try again", c.name, model, n)
			}
		}
	}
}

func TestStreamsThatDoNotComeToTheirEnd(t *testing.T) {
	for _, c := range []struct {
		name, code string
		reply      llm.Reply
	}{
		{"cut off in good order", chat.CodeTruncated, llm.Reply{Text: "one two three four five", EndAfter: 4}},
		{"cut off", chat.CodeUnreachable, llm.Reply{Text: "one two three four five", CutAfter: 4}},
		{"an error inside", chat.CodeUnavailable, llm.Reply{Text: "one two three four five", FailsAt: 4, Message: "Overloaded"}},
		{"no JSON inside", chat.CodeMalformed, llm.Reply{Raw: "data: {\"choices\": [\n\n", RawType: "text/event-stream"}},
		{"nothing inside", chat.CodeTruncated, llm.Reply{Raw: ": ping\n\n", RawType: "text/event-stream"}},
	} {
		for _, model := range []string{"m", "anthropic:m"} {
			s := llm.Start(t)
			s.Next(c.reply)
			_, err := client(t, s, model).Ask(chat.Request{Messages: []chat.Message{user("hi")}, Stream: true})
			var e *greentic.Error
			if !errors.As(err, &e) || e.Code != c.code || !e.Retryable {
				t.Errorf("%s, %s: %+v", c.name, model, err)
			}
		}
	}
}

func TestAStreamNobodyAskedForIsReadAllTheSame(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Raw: "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\r\n\r\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\r\n\r\n", RawType: "text/event-stream"})
	a, err := client(t, s, "m").Ask(chat.Request{Messages: []chat.Message{user("hi")}})
	if err != nil || a.Text != "Hi" || a.Finish != "length" || a.Model != "m" {
		t.Errorf("%v %+v", err, a)
	}
}

func TestAnotherModelAnswersWhenOneCannot(t *testing.T) {
	s := llm.Start(t)
	s.Models("second")
	s.Next(llm.Reply{Text: "from the second"})
	a, err := client(t, s, "first", "anthropic:second").Ask(chat.Request{Messages: []chat.Message{user("hi")}})
	if err != nil || a.Text != "from the second" || a.Model != "second" || len(a.Tried) != 1 || a.Tried[0] != (chat.Attempt{Model: "first", Code: chat.CodeNoModel}) {
		t.Errorf("%v %+v", err, a)
	}
}

func TestAWrongKeyIsNotHiddenByAnotherModel(t *testing.T) {
	for _, status := range []int{400, 401, 403} {
		s := llm.Start(t)
		s.Next(llm.Reply{Status: status})
		_, err := client(t, s, "first", "second").Ask(chat.Request{Messages: []chat.Message{user("hi")}})
		if err == nil || len(s.Asked()) != 1 {
			t.Errorf("%d: %v after %d requests", status, err, len(s.Asked()))
		}
	}
}

func TestTheLastErrorNamesTheModelsBefore(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Status: 500}, llm.Reply{Status: 429, RetryAfter: "3"})
	_, err := client(t, s, "first", "second").Ask(chat.Request{Messages: []chat.Message{user("hi")}})
	var e *greentic.Error
	if !errors.As(err, &e) || e.Code != chat.CodeRateLimited || e.BackoffMS != 3000 {
		t.Fatal(err)
	}
	details := e.Details.(map[string]any)
	if tried := details["tried"].([]chat.Attempt); details["model"] != "second" || tried[0] != (chat.Attempt{Model: "first", Code: chat.CodeUnavailable}) {
		t.Errorf("%v", details)
	}
}
