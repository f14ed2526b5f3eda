package componenttest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
)

// Report is what came of a run.
type Report struct {
	OK     bool     `json:"ok"`
	Passed int      `json:"passed"`
	Failed int      `json:"failed"`
	Cases  []Result `json:"cases"` // never nil
}

// Result is what came of a case.
type Result struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Name     string   `json:"name"`
	OK       bool     `json:"ok"`
	Problems []string `json:"problems"`        // never nil
	Calls    []string `json:"calls,omitempty"` // what it asked the host for, when it failed
	WallUS   int64    `json:"wall_us"`
}

// Subject is the component under test.
type Subject struct {
	Engine   *wasm.Engine
	Code     []byte
	Manifest *component.Manifest // its secrets are granted; nil: those of each case
	Limits   wasm.Limits
	Secrets  func() secrets.Store // makes an empty store for each case
}

// Run runs the cases of suites one after the other. The error says that there was nothing to run them on: those
// of host.Load, fault.Canceled.
func Run(ctx context.Context, s Subject, suites []*Suite) (Report, error) {
	report := Report{Cases: []Result{}}
	for _, suite := range suites {
		for i := range suite.Cases {
			c := &suite.Cases[i]
			r := Result{File: suite.File, Line: c.line, Name: c.Name, Problems: []string{}}
			if err := s.run(ctx, c, &r); err != nil {
				return report, err
			}
			if r.OK = len(r.Problems) == 0; r.OK {
				r.Calls = nil
				report.Passed++
			} else {
				report.Failed++
			}
			report.Cases = append(report.Cases, r)
		}
	}
	report.OK = report.Failed == 0
	return report, nil
}

// begins is the clock of a case that does not say.
const begins = "2026-01-01T00:00:00Z"

func (s Subject) run(ctx context.Context, c *Case, r *Result) error {
	at := begins
	if c.Now != "" {
		at = c.Now
	}
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		r.Problems = append(r.Problems, "now: want a time such as "+begins)
		return nil
	}
	tenant := greentic.TenantCtx{Env: "test", Tenant: "test", Team: greentic.TeamID(c.Tenant.Team), User: greentic.UserID(c.Tenant.User), Locale: c.Tenant.Locale}
	if c.Tenant.ID != "" {
		tenant.Tenant = greentic.TenantID(c.Tenant.ID)
	}
	web := &server{entries: c.HTTP}
	client := egress.New(egress.Options{Transport: web})
	defer client.Close()
	log, state := &journal{}, &working{values: map[string][]byte{}}
	for k, v := range c.State {
		state.values[k] = []byte(text(v))
	}
	request, store, err := s.request(ctx, c, tenant)
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
		return nil
	}
	request.State = state
	h := host.New(host.Deps{Engine: s.Engine, HTTP: client, Secrets: store, Log: slog.New(log), Now: func() time.Time { return now },
		Random: rand.NewChaCha8([32]byte{})}, host.Options{Limits: s.Limits})
	loaded, err := h.Load(ctx, "component", s.Code)
	if err != nil {
		return err
	}
	answer, err := loaded.Invoke(ctx, tenant, request)
	if ctx.Err() != nil {
		return fault.Wrap("component test", ctx.Err())
	}
	r.WallUS = answer.Stats.Wall.Microseconds()
	for _, call := range answer.Calls {
		r.Calls = append(r.Calls, strings.TrimSpace(call.Import+" "+call.Subject)+": "+call.Outcome)
	}
	r.Problems = append(r.Problems, c.judge(answer, err)...)
	r.Problems = append(r.Problems, c.after(state, log)...)
	r.Problems = append(r.Problems, web.problems...)
	for _, e := range web.entries {
		r.Problems = append(r.Problems, "it never asked for "+e.method()+" "+e.Request.URL)
	}
	return nil
}

// request is the call of a case and the secrets it may read.
func (s Subject) request(ctx context.Context, c *Case, tenant greentic.TenantCtx) (host.Request, secrets.Store, error) {
	q := host.Request{Flow: "test", Node: "test", Operation: c.Op, Grants: host.Grants{State: true}}
	var err error
	if q.Input, err = plain(c.Input); err != nil {
		return q, nil, fault.Wrap("input", err)
	}
	if c.Config != nil {
		if q.Config, err = plain(c.Config); err != nil {
			return q, nil, fault.Wrap("config", err)
		}
	}
	if s.Manifest != nil {
		for _, need := range s.Manifest.Secrets {
			q.Grants.Secrets = append(q.Grants.Secrets, need.Key)
		}
	}
	store := s.Secrets()
	for key, value := range c.Secrets {
		if err := store.Put(ctx, tenant, secrets.Name{Key: key}, []byte(value)); err != nil {
			return q, nil, fault.Wrap("secrets "+key, err)
		}
		if s.Manifest == nil {
			q.Grants.Secrets = append(q.Grants.Secrets, key)
		}
	}
	for _, e := range c.HTTP {
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host == "" {
			return q, nil, fault.Newf(fault.Invalid, "http", "%q is no absolute URL", e.Request.URL)
		}
		host := u.Host
		if u.Port() == "" && u.Scheme == "http" {
			host += ":80"
		}
		grant, err := egress.ParseGrant(host)
		if err != nil {
			return q, nil, fault.Wrap("http", err)
		}
		q.Grants.Hosts = append(q.Grants.Hosts, grant)
	}
	return q, store, nil
}

// judge compares an answer with what the case expects.
func (c *Case) judge(a host.Response, failed error) (problems []string) {
	if failed != nil {
		_, _, code := fault.Detail(failed)
		if code == "" {
			code = fault.KindOf(failed).String()
		}
		if c.Error == nil {
			return []string{"there is no answer: " + failed.Error()}
		}
		return c.Error.differs(code, failed.Error(), fault.KindOf(failed).Retryable(), 0)
	}
	if c.Error != nil {
		if a.Fail == nil {
			return []string{fmt.Sprintf("want the error %s, got the output %s", c.Error.Code, short(a.Output))}
		}
		return c.Error.differs(a.Fail.Code, a.Fail.Message, a.Fail.Retryable, a.Backoff.Milliseconds())
	}
	if a.Fail != nil && (c.Output != nil || c.Contains != nil) {
		return []string{"it failed: " + a.Fail.Code + ": " + a.Fail.Message}
	}
	if c.Output != nil {
		problems = append(problems, against(c.Output, a.Output, false)...)
	}
	if c.Contains != nil {
		problems = append(problems, against(c.Contains, a.Output, true)...)
	}
	return problems
}

func (f *Failure) differs(code, message string, retryable bool, backoff int64) (problems []string) {
	if f.Code != "" && f.Code != code {
		problems = append(problems, fmt.Sprintf("error code: want %s, got %s (%s)", f.Code, code, message))
	}
	if !strings.Contains(message, f.Message) {
		problems = append(problems, fmt.Sprintf("error message: want %q in %q", f.Message, message))
	}
	if f.Retryable != nil && *f.Retryable != retryable {
		problems = append(problems, fmt.Sprintf("error retryable: want %t, got %t", *f.Retryable, retryable))
	}
	if f.BackoffMS != nil && *f.BackoffMS != backoff {
		problems = append(problems, fmt.Sprintf("error backoff_ms: want %d, got %d", *f.BackoffMS, backoff))
	}
	return problems
}

// after compares what a call left behind.
func (c *Case) after(state *working, log *journal) (problems []string) {
	for k, v := range c.StateAfter {
		have, kept := state.values[k]
		switch want, err := plain(v); {
		case err != nil:
			problems = append(problems, "state_after "+k+": "+err.Error())
		case !kept && v == nil:
		case !kept:
			problems = append(problems, fmt.Sprintf("state %s: want %s, got nothing", k, short(want)))
		default:
			problems = append(problems, jsonAgainst("state "+k, want, have)...)
		}
	}
	for _, part := range c.Logs {
		if !strings.Contains(strings.Join(log.lines, "\n"), part) {
			problems = append(problems, fmt.Sprintf("no log line has %q; there are %d: %s", part, len(log.lines), short(log.lines)))
		}
	}
	return problems
}
