package messaging

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// handler answers one Direct Line request for a known tenant with a status and a JSON value;
// a nil value means the handler has written the response itself.
type handler func(rw http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error)

// session is the answer to starting, joining and refreshing (Direct Line 3.0 Conversation).
type session struct {
	ConversationID string `json:"conversationId,omitempty"`
	Token          string `json:"token"`
	ExpiresIn      int    `json:"expires_in"` // seconds
	StreamURL      string `json:"streamUrl,omitempty"`
}

func (w *WebChat) handle(h handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		// The ecosystem's clients name tenant and environment in the query where the path does not.
		query := r.URL.Query()
		tenant, ok := w.deps.Tenant(cmp.Or(r.PathValue("tenant"), query.Get("tenant")))
		if env := query.Get("env"); !ok || env != "" && env != string(tenant.Env) {
			writeError(rw, fault.New(fault.NotFound, "webchat", "no such tenant"))
			return
		}
		status, v, err := h(rw, r, tenant)
		switch {
		case err != nil:
			if fault.KindOf(err) == fault.Internal {
				w.deps.Log.Error("webchat request failed", "path", r.URL.Path, "tenant", tenant.Tenant, "error", err)
			}
			writeError(rw, err)
		case v != nil:
			writeJSON(rw, status, v)
		}
	})
}

func writeJSON(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}

// directLineError is the protocol's error body.
type directLineError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// writeError maps a fault to Direct Line's codes; internals stay in the log.
func writeError(rw http.ResponseWriter, err error) {
	kind := fault.KindOf(err)
	_, _, code := fault.Detail(err)
	status, message := kind.HTTPStatus(), err.Error()
	switch {
	case code == kv.TooLarge, code == "" && kind == fault.Exhausted:
		code = "MessageSizeTooBig"
		status = http.StatusRequestEntityTooLarge
	case code != "":
	case kind == fault.Invalid:
		code = "BadArgument"
	case kind == fault.NotFound:
		code = "ConversationNotFound"
	case kind == fault.Unavailable:
		code = "ServiceUnavailable"
	default:
		code, message = "ServiceError", "the request failed"
	}
	if code == codeExpired || code == codeInvalid {
		status = http.StatusUnauthorized
		if code == codeExpired {
			status = http.StatusForbidden
		}
	}
	var body directLineError
	body.Error.Code, body.Error.Message = code, message
	writeJSON(rw, status, body)
}

// readBody decodes a JSON body into v. Where it is optional an empty body leaves v alone.
func readBody(r *http.Request, v any, optional bool) error {
	raw, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.Newf(fault.Exhausted, "body", "larger than %d bytes", tooLarge.Limit)
	case err != nil:
		return fault.New(fault.Invalid, "body", "could not be read")
	case len(raw) == 0 && optional:
		return nil
	}
	err = json.Unmarshal(raw, v)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) { // its own text names our types
		return fault.Newf(fault.Invalid, "body", "not the JSON expected: %s cannot be a %s", cmp.Or(wrong.Field, "the document"), wrong.Value)
	}
	if err != nil {
		return fault.Newf(fault.Invalid, "body", "not the JSON expected: %v", err)
	}
	return nil
}

// bearer is the request's token: the Authorization header, or the t parameter of a stream.
func bearer(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(token)
	}
	return r.URL.Query().Get("t")
}

// authorise reads the token and binds it to the tenant of the path and, when id is not empty,
// to that conversation. A token of another tenant is no better than a forged one.
func (w *WebChat) authorise(r *http.Request, tenant *greentic.TenantCtx, id string) (grant, error) {
	text := bearer(r)
	if text == "" {
		return grant{}, fault.New(fault.Denied, "webchat", "the request carries no token").WithCode(codeInvalid)
	}
	g, err := w.tokens.read(text)
	if err != nil {
		return g, err
	}
	if g.Env != tenant.Env || g.Tenant != tenant.Tenant {
		return g, fault.New(fault.Denied, "webchat token", "the token is not one of ours").WithCode(codeInvalid)
	}
	if id != "" && g.Conversation != id {
		return g, fault.New(fault.Denied, "webchat token", "the token belongs to another conversation").WithCode(codeConversation)
	}
	tenant.Team = g.Team
	return g, nil
}

func (w *WebChat) issue(r *http.Request, g grant, stream bool) (session, error) {
	token, err := w.tokens.sign(g)
	if err != nil {
		return session{}, err
	}
	s := session{ConversationID: g.Conversation, Token: token, ExpiresIn: int(w.tokens.ttl.Seconds())}
	if stream {
		s.StreamURL = streamURL(r, g.Conversation, token)
	}
	return s, nil
}

// streamURL is absolute, as Direct Line clients expect, on the host the client used.
func streamURL(r *http.Request, id, token string) string {
	scheme := "ws"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "wss"
	}
	base, _, _ := strings.Cut(r.URL.Path, "/v3/directline")
	return scheme + "://" + r.Host + base + "/v3/directline/conversations/" + id + "/stream?watermark=&t=" + token
}

func (w *WebChat) generate(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	var body struct {
		User Account `json:"user"`
		Team string  `json:"team"`
	}
	if err := readBody(r, &body, true); err != nil {
		return 0, nil, err
	}
	if body.Team != "" {
		if err := greentic.CheckID("team", body.Team); err != nil {
			return 0, nil, err
		}
	}
	if err := checkName("user.id", body.User.ID); err != nil {
		return 0, nil, err
	}
	s, err := w.issue(r, grant{Env: tenant.Env, Tenant: tenant.Tenant, Team: greentic.TeamID(body.Team), Conversation: w.deps.NewID(), User: body.User.ID}, false)
	return http.StatusOK, s, err
}

func (w *WebChat) refresh(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	g, err := w.authorise(r, &tenant, "")
	if err != nil {
		return 0, nil, err
	}
	s, err := w.issue(r, g, false)
	return http.StatusOK, s, err
}

func (w *WebChat) start(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	g, err := w.authorise(r, &tenant, "")
	if err != nil {
		return 0, nil, err
	}
	created, err := w.transcript.begin(r.Context(), tenant, g.Conversation, g.User)
	if err != nil {
		return 0, nil, err
	}
	s, err := w.issue(r, g, true)
	if created {
		return http.StatusCreated, s, err
	}
	return http.StatusOK, s, err
}

func (w *WebChat) reconnect(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	g, err := w.authorise(r, &tenant, r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	if _, err := w.transcript.find(r.Context(), tenant, g.Conversation); err != nil {
		return 0, nil, err
	}
	s, err := w.issue(r, g, true)
	return http.StatusOK, s, err
}

// post stores the user's activity, then hands it to the runner. A client that repeats an
// activity under the same clientActivityID gets the first one's id and starts nothing new.
func (w *WebChat) post(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	g, err := w.authorise(r, &tenant, r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	var a Activity
	if err := readBody(r, &a, false); err != nil {
		return 0, nil, err
	}
	if a.From == nil && g.User != "" {
		a.From = &Account{}
	}
	if g.User != "" {
		a.From.ID = g.User // the token says who speaks, not the body
	}
	if err := checkActivity(&a); err != nil {
		return 0, nil, err
	}
	a.From.Role = "user"
	name := ""
	if c := a.clientID(); c != "" {
		name = "in-" + c
	}
	stored, _, err := w.transcript.add(r.Context(), tenant, g.Conversation, name, a)
	if err != nil {
		return 0, nil, err
	}
	if stored.startsTurn() {
		if _, err := w.accept(r.Context(), tenant, g.Conversation, stored); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, map[string]string{"id": stored.ID}, nil
}

func (w *WebChat) activities(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (int, any, error) {
	g, err := w.authorise(r, &tenant, r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	p, err := w.transcript.since(r.Context(), tenant, g.Conversation, r.URL.Query().Get("watermark"))
	return http.StatusOK, p, err
}
