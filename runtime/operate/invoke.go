package operate

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"greentic.dev/backing/record"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/runner"
)

// Headers of an invocation. The digest is that of the release: in the request the one expected, in
// the answer the one that ran, or with status 409 the one that would have.
const (
	HeaderExpect = "Greentic-Expect-Digest"
	HeaderDigest = "Greentic-Digest"
)

// How long an invocation waits for its turn: without Prefer: wait=N, and at most.
const (
	defaultWait = 30 * time.Second
	maxWait     = 50 * time.Second // the server reads a request for a minute
)

const maxIdempotencyKey = 255

// invocation is the body of a request that runs a flow.
type invocation struct {
	Input   json.RawMessage `json:"input"`   // a messaging flow: a text, or a message {"text", "metadata", …}; others: anything
	Session string          `json:"session"` // conversation; empty: one of its own
	Locale  string          `json:"locale"`
	User    string          `json:"user"`
}

// outcome is the answer to an invocation whose turn has run. That it failed is an outcome too.
type outcome struct {
	Turn       string           `json:"turn"`
	Status     string           `json:"status"` // done, waiting or failed
	Release    greentic.Digest  `json:"release"`
	Flow       string           `json:"flow"`
	Session    string           `json:"session"`
	Replies    []greentic.Reply `json:"replies"`
	Output     any              `json:"output"`
	Steps      int              `json:"steps"`
	DurationMS int64            `json:"duration_ms"`
	Error      *record.Failure  `json:"error,omitempty"`
	Duplicate  bool             `json:"duplicate,omitempty"`
}

// pending is the answer to an invocation whose turn has not ended yet.
type pending struct {
	greentic.Receipt
	Status  string `json:"status"` // "accepted"
	Session string `json:"session"`
}

func (a *API) invoke(w http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	expect := greentic.Digest(r.Header.Get(HeaderExpect))
	if expect != "" {
		if _, err := greentic.ParseDigest(string(expect)); err != nil {
			return nil, fault.Wrap(HeaderExpect, err)
		}
	}
	wait, err := patience(r.Header)
	if err != nil {
		return nil, err
	}
	newest, kind, err := a.served(r.PathValue("pack"), r.PathValue("flow"))
	if err != nil {
		return nil, err
	}
	t, err := a.triggerOf(r, tenant, kind)
	if err != nil {
		return nil, err
	}
	t.Release = expect
	i, err := a.deps.Runner.Begin(r.Context(), t, func(s session.Session) error {
		current, err := a.current(r.Context(), t, s, newest)
		if err == nil && expect != "" && expect != current {
			w.Header().Set(HeaderDigest, string(current))
			err = mismatch(expect, current)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	defer i.Close()
	limited, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	result, err := i.Wait(limited)
	switch {
	case fault.Is(err, fault.Timeout), fault.Is(err, fault.Unavailable): // it is stored, and runs
		w.Header().Set("Location", "/v1/turns/"+i.Receipt.Turn)
		return accepted{pending{i.Receipt, "accepted", t.Key}}, nil
	case err != nil:
		return nil, err
	}
	w.Header().Set(HeaderDigest, string(result.Release))
	if i.Receipt.Duplicate {
		if err := a.same(r.Context(), i, t, expect); err != nil {
			return nil, err
		}
	}
	return answer(result, t.Key, i.Receipt.Duplicate), nil
}

func answer(result runner.TurnResult, key string, duplicate bool) outcome {
	out := outcome{result.Turn, result.Status, result.Release, result.Flow, key, result.Replies, result.Output, result.Steps, result.Duration.Milliseconds(), nil, duplicate}
	if out.Replies == nil {
		out.Replies = []greentic.Reply{}
	}
	if result.Err != nil {
		_, _, code := fault.Detail(result.Err)
		if code == "" {
			code = fault.KindOf(result.Err).String()
		}
		out.Error = &record.Failure{Code: code, Message: result.Err.Error()}
	}
	return out
}

func mismatch(expect, current greentic.Digest) error {
	return fault.Newf(fault.Conflict, "invoke", "%s was expected, and it would run on %s", expect, current).WithCode("digest_mismatch").
		WithFix("invoke it with " + HeaderExpect + ": " + string(current) + ", once you know what has changed")
}

// served is the release of a pack that new sessions take, with the kind of one of its flows.
func (a *API) served(pack, id string) (greentic.Digest, flow.Kind, error) {
	for _, v := range a.deps.Releases.Served() {
		if v.Pack == pack {
			f, err := v.Flow(id)
			if err != nil {
				return "", "", err
			}
			return v.Digest, f.Kind, nil
		}
	}
	return "", "", fault.Newf(fault.NotFound, "pack "+pack, "it is not served")
}

// current is the release an invocation runs on: that of its session, or the newest. A session of
// another flow is refused.
func (a *API) current(ctx context.Context, t greentic.Trigger, s session.Session, newest greentic.Digest) (greentic.Digest, error) {
	if s.Revision == 0 {
		return newest, nil
	}
	if v := a.deps.Releases.Version(ctx, s.Release); s.Flow != t.Flow || v.Pack != t.Pack {
		return "", fault.Newf(fault.Conflict, "invoke", "the session waits in flow %s of pack %s", s.Flow, v.Pack).WithCode("other_flow").
			WithFix("name another session, or end this one")
	}
	return s.Release, nil
}

// same refuses an idempotency key that stands for something else.
func (a *API) same(ctx context.Context, i *runner.Invocation, t greentic.Trigger, expect greentic.Digest) error {
	first, err := i.Recorded(ctx)
	switch {
	case err != nil:
		return err
	case first.Trigger.Pack != t.Pack || first.Trigger.Flow != t.Flow || !bytes.Equal(first.Trigger.Body, t.Body):
		return fault.Newf(fault.Conflict, "invoke", "the idempotency key was used for another request, turn %s", first.ID).WithCode("idempotency_key_reused").
			WithFix("use a fresh key for each request")
	case expect != "" && expect != first.Release:
		return mismatch(expect, first.Release)
	}
	return nil
}

// triggerOf makes the trigger of a request.
func (a *API) triggerOf(r *http.Request, tenant greentic.TenantCtx, kind flow.Kind) (t greentic.Trigger, err error) {
	var in invocation
	if err := read(r, &in); err != nil {
		return t, err
	}
	id := r.Header.Get("Idempotency-Key")
	if len(id) > maxIdempotencyKey {
		return t, fault.Newf(fault.Invalid, "Idempotency-Key", "it has %d bytes, at most %d are allowed", len(id), maxIdempotencyKey)
	}
	if id == "" {
		id = a.deps.NewID()
	}
	tenant.User, tenant.Locale = greentic.UserID(in.User), in.Locale
	t = greentic.Trigger{ID: id, Tenant: tenant, Kind: greentic.KindEvent, Route: runner.InvokeRoute, Key: in.Session, Body: in.Input,
		Pack: r.PathValue("pack"), Flow: r.PathValue("flow")}
	if t.Key == "" {
		t.Key = "invoke:" + id
	}
	if t.Body == nil {
		t.Body = []byte("null")
	}
	switch kind {
	case flow.Messaging:
		t.Kind = greentic.KindMessage
		t.Body, err = message(in, id, t.Key)
	case flow.HTTP:
		t.Kind = greentic.KindHTTP
	}
	return t, err
}

// message is the input of a messaging flow: a text or a message.
func message(in invocation, id, key string) ([]byte, error) {
	var m greentic.Message
	var err error
	switch text := bytes.TrimSpace(in.Input); {
	case len(text) == 0 || string(text) == "null":
	case text[0] == '"':
		err = json.Unmarshal(text, &m.Text)
	default:
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, (&fault.Error{Kind: fault.Invalid, Op: "input", Err: err}).WithFix(`a messaging flow takes a text, or a message such as {"text": "hello", "metadata": {"action": "menu"}}`)
	}
	m.ID, m.Channel, m.Conversation = id, runner.InvokeRoute, key
	if m.From == nil && in.User != "" {
		m.From = &greentic.Actor{ID: in.User, Kind: "user"}
	}
	body, err := json.Marshal(m)
	return body, fault.Wrap("input", err)
}

// patience reads Prefer: wait=N (RFC 7240, section 4.3), in seconds.
func patience(h http.Header) (time.Duration, error) {
	for _, line := range h.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			value, ok := strings.CutPrefix(strings.TrimSpace(part), "wait=")
			if !ok {
				continue
			}
			n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return 0, fault.Newf(fault.Invalid, "Prefer", "%q is no number of seconds", value)
			}
			return min(time.Duration(n)*time.Second, maxWait), nil
		}
	}
	return defaultWait, nil
}
