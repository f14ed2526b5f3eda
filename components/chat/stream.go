package chat

import (
	"bytes"
	"iter"
	"strings"

	"greentic.dev/sdk/go/greentic"
)

// streamed says whether a body is a stream of events.
func streamed(r *greentic.Response) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}

// event is one event of a stream (WHATWG HTML, server-sent events).
type event struct{ name, data string }

// events reads a stream that is here as a whole. An event that its empty line does not end was cut off
// and is none.
func events(body []byte) iter.Seq[event] {
	return func(yield func(event) bool) {
		body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
		var e event
		var data []string
		for len(body) > 0 {
			end := bytes.IndexAny(body, "\r\n")
			if end < 0 {
				return
			}
			line := string(body[:end])
			if body[end] == '\r' && end+1 < len(body) && body[end+1] == '\n' {
				end++
			}
			body = body[end+1:]
			if line == "" {
				if data != nil {
					e.data = strings.Join(data, "\n")
					if !yield(e) {
						return
					}
				}
				e, data = event{}, nil
				continue
			}
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch name {
			case "data":
				data = append(data, value)
			case "event":
				e.name = value
			}
		}
	}
}

// document reads a JSON object.
func document(body []byte) (any, error) {
	var v any
	if err := greentic.DecodeJSON(body, &v); err != nil {
		return nil, malformed(err.Error(), body)
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, malformed("it is no object", body)
	}
	return v, nil
}
