package operate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// turnLine is a turn in a list.
type turnLine struct {
	Turn       string          `json:"turn"`
	Seq        uint64          `json:"seq"`
	Status     string          `json:"status"`
	Pack       string          `json:"pack,omitempty"` // id@version
	Release    greentic.Digest `json:"release,omitempty"`
	Flow       string          `json:"flow,omitempty"`
	Began      time.Time       `json:"began"`
	DurationMS int64           `json:"duration_ms"`
	Steps      int             `json:"steps"`
	Replies    int             `json:"replies"`
	Error      *record.Failure `json:"error,omitempty"`
}

func (a *API) turns(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	n, err := limit(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	if q.Get("session") == "" {
		return nil, fault.New(fault.Invalid, "turns", "no conversation is named").WithFix("add ?session=KEY")
	}
	after, err := uint64(0), error(nil)
	if text := q.Get("after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 63); err != nil {
			return nil, fault.Newf(fault.Invalid, "after", "%q is no number of a turn", text)
		}
	}
	page := struct {
		Turns []turnLine `json:"turns"`
		Next  string     `json:"next,omitempty"`
	}{}
	err = a.view(r.Context(), tenant, func(x kv.Reader) error {
		page.Turns, page.Next = []turnLine{}, ""
		return record.List(x, q.Get("session"), after+1, n+1, func(t record.Turn) bool {
			if len(page.Turns) == n {
				page.Next = fmt.Sprint(page.Turns[n-1].Seq)
				return false
			}
			line := turnLine{t.ID, t.Seq, t.Status, t.Pack, t.Release, t.Flow, t.Began, t.Took.Milliseconds(), 0, len(t.Replies), t.Error}
			for _, s := range t.Steps {
				line.Steps = max(line.Steps, s.N)
			}
			page.Turns = append(page.Turns, line)
			return true
		})
	})
	return page, err
}

func (a *API) recorded(r *http.Request, tenant greentic.TenantCtx) (rec record.Turn, err error) {
	err = a.view(r.Context(), tenant, func(x kv.Reader) (err error) {
		rec, err = record.Find(x, r.PathValue("turn"))
		return err
	})
	return rec, err
}

func (a *API) turn(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	rec, err := a.recorded(r, tenant)
	if err != nil {
		return nil, err
	}
	return struct {
		record.Turn
		Trigger trigger `json:"trigger"`
	}{rec, readable(rec.Trigger)}, nil
}

func (a *API) why(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	rec, err := a.recorded(r, tenant)
	if err != nil {
		return nil, err
	}
	return Explain(rec), nil
}

// Why says of a turn what was decided and by which rule.
type Why struct {
	Turn      string          `json:"turn"`
	Session   string          `json:"session"`
	Seq       uint64          `json:"seq"`
	Began     time.Time       `json:"began"`
	TookNS    time.Duration   `json:"took_ns"`
	Status    string          `json:"status"`
	Error     *record.Failure `json:"error,omitempty"`
	Decisions []Decision      `json:"decisions"`
	Steps     []WhyStep       `json:"steps"`
}

// Decision is a choice that was made for the whole turn.
type Decision struct {
	About string `json:"about"` // "release", "flow", "locale", "runs" or "restarts"
	Value string `json:"value"`
	Rule  string `json:"rule"`
	Why   string `json:"why"`
}

// WhyStep is a step with the reason for it and the place in the flow's source that says so.
type WhyStep struct {
	N          int           `json:"n"`
	Node       string        `json:"node"`
	Do         string        `json:"do"`
	Component  string        `json:"component,omitempty"`
	Operation  string        `json:"operation,omitempty"`
	Attempt    int           `json:"attempt,omitempty"`
	Failed     string        `json:"failed,omitempty"`     // the code of what failed
	Checkpoint string        `json:"checkpoint,omitempty"` // why one was made after it
	TookNS     time.Duration `json:"took_ns,omitempty"`
	record.Reason
}

// Explain reads off a record why the turn went as it did.
func Explain(rec record.Turn) Why {
	w := Why{Turn: rec.ID, Session: rec.Trigger.Key, Seq: rec.Seq, Began: rec.Began, TookNS: rec.Took, Status: rec.Status, Error: rec.Error,
		Decisions: []Decision{}, Steps: []WhyStep{}}
	add := func(about, value, rule, why string) {
		w.Decisions = append(w.Decisions, Decision{about, value, rule, why})
	}
	if rec.Release != "" {
		rule, why := "newest", "a new session takes the newest release that is served and has a flow for it"
		switch {
		case rec.Revision > 0:
			rule, why = "pinned", fmt.Sprintf("the session is on it since it began or was migrated (revision %d)", rec.Revision)
		case rec.Trigger.Release != "":
			rule, why = "demanded", "the trigger demands this very release"
		case rec.Trigger.Pack != "":
			why = "a new session takes the newest release of pack " + rec.Trigger.Pack + ", which the trigger names"
		}
		add("release", string(rec.Release), rule, why+": "+rec.Pack)
	}
	if rec.Flow != "" {
		rule, why := "selected", "it is the flow the pack offers to new sessions"
		switch {
		case rec.Revision > 0:
			rule, why = "pinned", "the session waits in it"
		case rec.Trigger.Flow != "":
			rule, why = "demanded", "the trigger names it"
		}
		add("flow", rec.Flow, rule, why)
	}
	rule, why := locale(rec)
	add("locale", rec.Locale, rule, why)
	if rec.Attempts > 0 {
		add("runs", fmt.Sprint(rec.Attempts+1), "unavailable", "earlier runs failed in a way that may pass, so the turn ran again from its last checkpoint")
	}
	if rec.Restarts > 0 {
		add("restarts", fmt.Sprint(rec.Restarts), "owner_lost", "processes ended while the turn was first in line, so another run took it up")
	}
	for _, s := range rec.Steps {
		step := WhyStep{N: s.N, Node: s.Node, Do: s.Do, Component: s.Component, Operation: s.Operation, Attempt: s.Attempt, TookNS: s.Took, Reason: s.Reason}
		var failed struct {
			Code string `json:"code"`
		}
		if len(s.Fail) > 0 && json.Unmarshal(s.Fail, &failed) == nil {
			step.Failed = failed.Code
		}
		if s.Effect {
			step.Checkpoint = "it called the outside in a way that must not happen twice, so the progress was stored before the next step"
		}
		w.Steps = append(w.Steps, step)
	}
	return w
}

// locale says where a turn's language came from.
func locale(rec record.Turn) (rule, why string) {
	var m greentic.Message
	if rec.Trigger.Kind == greentic.KindMessage && json.Unmarshal(rec.Trigger.Body, &m) == nil && m.Metadata["locale"] != "" {
		return "message", "the message's metadata names it"
	}
	if rec.Trigger.Tenant.Locale != "" {
		return "trigger", "the channel or the caller names it"
	}
	return "default", "nobody named one, so it is the process's default"
}
