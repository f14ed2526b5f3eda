package chat

import (
	"slices"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

func TestEventsAreReadAsTheStandardSays(t *testing.T) {
	for _, c := range []struct {
		stream string
		want   []event
	}{
		{"data: a\n\ndata: b\n\n", []event{{"", "a"}, {"", "b"}}},
		{"event: x\ndata: a\ndata:b\n\n", []event{{"x", "a\nb"}}},
		{"\xef\xbb\xbfdata: a\r\n\r\ndata: b\r\r", []event{{"", "a"}, {"", "b"}}},
		{": comment\nid: 1\nretry: 5\n\nevent: x\n\ndata\n\n", []event{{"", ""}}},
		{"data: a\n\ndata: cut off\n", []event{{"", "a"}}},
		{"data:  two spaces\n\n", []event{{"", " two spaces"}}},
		{"", nil},
	} {
		got := slices.Collect(events([]byte(c.stream)))
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.stream, got)
		}
	}
}

// Whatever a server sends, reading it ends in an answer or an error.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1}]},\"finish_reason\":\"stop\"}]}\n\n"))
	f.Add([]byte("data: {\"type\":\"content_block_start\",\"index\":0}\n\ndata: {\"type\":\"message_stop\"}\n\n"))
	f.Add([]byte(`{"choices":[{"message":{"content":[1],"tool_calls":{}}}],"usage":[]}`))
	f.Add([]byte(`{"type":"message","content":[{"type":"tool_use","input":"x"}],"usage":{"input_tokens":1e300}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, e := range []Endpoint{{Protocol: "openai"}, {Protocol: "anthropic"}} {
			for _, kind := range []string{"application/json", "text/event-stream"} {
				a, err := protocolOf(e).read(response(kind, body))
				if err == nil && a.Finish == "" {
					t.Errorf("%s: neither an answer nor an error: %q", e.Protocol, body)
				}
			}
		}
	})
}

func response(kind string, body []byte) *greentic.Response {
	return &greentic.Response{Status: 200, Header: greentic.Header{{"content-type", kind}}, Body: body}
}
