package llm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Key is the key the server takes.
const Key = "test-key"

// Server is a running server. It is safe for concurrent use.
type Server struct {
	URL string // http://127.0.0.1:PORT; OpenAI's base is URL + "/v1"

	mu      sync.Mutex
	next    []Reply
	asked   []Asked
	models  map[string]bool // nil: every model exists
	keyless bool
}

// Reply is what the server answers next. The zero value is a text that repeats the last message.
type Reply struct {
	Text   string
	Calls  []Call // tools the model wants to be called
	Finish string // in OpenAI's words: stop, length, tool_calls, content_filter; empty: as Text and Calls suggest

	Status     int    // an error; 0: none
	Code       string // what the protocol calls the error; empty: as Status suggests
	Message    string
	RetryAfter string

	Raw      string // this body instead of one of the protocol
	RawType  string // its content type; empty: JSON
	CutAfter int    // of a stream: break the connection off after so many events
	EndAfter int    // of a stream: end it in good order after so many events, as proxies do
	FailsAt  int    // of a stream: after so many events comes an error of Code and Message
	Hangup   bool   // close the connection without an answer
}

// Call is a tool call. Arguments are JSON; what is none is sent as it is, as models do.
type Call struct{ ID, Name, Arguments string }

// Asked is a request the server has taken.
type Asked struct {
	Protocol string // openai or anthropic
	Header   http.Header
	Body     map[string]any
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	s := &Server{}
	h := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(h.Close)
	s.URL = h.URL
	return s
}

// Next adds replies to those to come.
func (s *Server) Next(replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, replies...)
}

// Models are the only ones there are from now on.
func (s *Server) Models(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models = map[string]bool{}
	for _, n := range names {
		s.models[n] = true
	}
}

// Keyless makes the server take requests without a key, as local ones do.
func (s *Server) Keyless() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyless = true
}

// Asked are the requests taken so far; those refused for their form or key are not among them.
func (s *Server) Asked() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Asked(nil), s.asked...)
}

// protocol is one of the two.
type protocol struct {
	name     string
	key      func(http.Header) string
	validate func(http.Header, map[string]any) string // what is wrong with a request
	fail     func(status int, code, message string) any
	codes    map[int]string // of errors that say nothing else
	answer   func(turn) any
	events   func(turn) []event
}

// event is one event of a stream.
type event struct{ name, data string }

// turn is one answer to be given.
type turn struct {
	id, model, text, finish string
	calls                   []Call
	in, out                 int // tokens
	usage                   bool
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	p, ok := protocols[r.URL.Path]
	if !ok {
		http.Error(w, `{"error":{"message":"Invalid URL (`+r.Method+` `+r.URL.Path+`)","type":"invalid_request_error"}}`, http.StatusNotFound)
		return
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		return
	}
	var body map[string]any
	s.mu.Lock()
	keyless, models := s.keyless, s.models
	s.mu.Unlock()
	model := ""
	if json.Unmarshal(raw, &body) == nil {
		model, _ = body["model"].(string)
	}
	wrong := ""
	switch {
	case r.Method != http.MethodPost:
		refuse(w, p, Reply{Status: 405, Message: "Method Not Allowed"})
		return
	case p.key(r.Header) != Key && !(keyless && p.key(r.Header) == ""):
		refuse(w, p, Reply{Status: 401, Message: "Incorrect API key provided."})
		return
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		wrong = "content-type must be application/json"
	case body == nil:
		wrong = "We could not parse the JSON body of your request."
	case model == "":
		wrong = "you must provide a model parameter"
	default:
		wrong = p.validate(r.Header, body)
	}
	if wrong != "" {
		refuse(w, p, Reply{Status: 400, Message: wrong})
		return
	}
	if models != nil && !models[model] {
		refuse(w, p, Reply{Status: 404, Message: "The model `" + model + "` does not exist"})
		return
	}
	s.reply(w, p, s.take(p, r.Header, body), body)
}

// take notes a request and gives the reply to it.
func (s *Server) take(p protocol, h http.Header, body map[string]any) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, Asked{p.name, h.Clone(), body})
	if len(s.next) == 0 {
		return Reply{}
	}
	reply := s.next[0]
	s.next = s.next[1:]
	return reply
}

func (s *Server) reply(w http.ResponseWriter, p protocol, reply Reply, body map[string]any) {
	w.Header().Set("X-Request-Id", "req_test")
	switch {
	case reply.Hangup:
		panic(http.ErrAbortHandler)
	case reply.Status != 0:
		refuse(w, p, reply)
		return
	case reply.Raw != "":
		w.Header().Set("Content-Type", orElse(reply.RawType, "application/json"))
		io.WriteString(w, reply.Raw)
		return
	}
	t := turnOf(reply, body)
	if stream, _ := body["stream"].(bool); !stream {
		write(w, http.StatusOK, p.answer(t))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	for i, e := range p.events(t) {
		if reply.FailsAt > 0 && i == reply.FailsAt {
			text, _ := json.Marshal(p.fail(200, orElse(reply.Code, p.codes[529]), reply.Message))
			send(w, event{"error", string(text)})
			return
		}
		if reply.CutAfter > 0 && i == reply.CutAfter {
			panic(http.ErrAbortHandler)
		}
		if reply.EndAfter > 0 && i == reply.EndAfter {
			return
		}
		send(w, e)
	}
}

func send(w http.ResponseWriter, e event) {
	if e.name != "" {
		fmt.Fprintf(w, "event: %s\n", e.name)
	}
	fmt.Fprintf(w, "data: %s\n\n", e.data)
	w.(http.Flusher).Flush()
}

// turnOf makes an answer complete.
func turnOf(r Reply, body map[string]any) turn {
	t := turn{id: "test-1", text: r.Text, calls: r.Calls, finish: r.Finish}
	t.model, _ = body["model"].(string)
	said := lastMessage(body)
	if t.text == "" && t.calls == nil && t.finish == "" {
		t.text = "You said: " + said
	}
	if t.finish == "" {
		t.finish = "stop"
		if t.calls != nil {
			t.finish = "tool_calls"
		}
	}
	raw, _ := json.Marshal(body["messages"])
	t.in, t.out = len(strings.Fields(string(raw)))+1, len(strings.Fields(t.text))+4*len(t.calls)
	options, _ := body["stream_options"].(map[string]any)
	t.usage, _ = options["include_usage"].(bool)
	return t
}

// lastMessage is the text of the last message.
func lastMessage(body map[string]any) string {
	messages, _ := body["messages"].([]any)
	if len(messages) == 0 {
		return ""
	}
	m, _ := messages[len(messages)-1].(map[string]any)
	if text, ok := m["content"].(string); ok {
		return text
	}
	text := ""
	blocks, _ := m["content"].([]any)
	for _, b := range blocks {
		b, _ := b.(map[string]any)
		part, _ := b["text"].(string)
		text += part
	}
	return text
}

func refuse(w http.ResponseWriter, p protocol, r Reply) {
	if r.RetryAfter != "" {
		w.Header().Set("Retry-After", r.RetryAfter)
	}
	if r.Raw != "" {
		w.Header().Set("Content-Type", orElse(r.RawType, "application/json"))
		w.WriteHeader(r.Status)
		io.WriteString(w, r.Raw)
		return
	}
	write(w, r.Status, p.fail(r.Status, orElse(r.Code, p.codes[r.Status]), orElse(r.Message, http.StatusText(r.Status))))
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
