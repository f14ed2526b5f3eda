package messaging

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
)

// Route is the name of web chat as a trigger's route and a reply's destination.
const Route = "webchat"

// Acceptor takes triggers durably; the runner is one.
type Acceptor interface {
	Accept(ctx context.Context, t greentic.Trigger) (greentic.Receipt, error)
}

// Deps is what web chat needs of the rest.
type Deps struct {
	DB     kv.DB
	Accept Acceptor
	Now    func() time.Time
	NewID  func() string // unique, letters, digits and '-'
	Log    *slog.Logger
	// Tenant finds a tenant by the name in a URL; false means it does not exist here.
	Tenant func(name string) (greentic.TenantCtx, bool)
}

// Options tunes web chat; the zero value of each field means the default.
type Options struct {
	TokenTTL time.Duration // 30 minutes; clamped to 1 minute .. 30 days
	MaxBody  int64         // bytes of one activity; 256 KiB
}

// WebChat is the Direct Line 3.0 channel. It is safe for concurrent use.
type WebChat struct {
	deps       Deps
	options    Options
	tokens     tokens
	transcript *transcript
	quit       chan struct{}
}

// NewWebChat makes the channel; key signs its tokens and must have at least 32 bytes.
func NewWebChat(d Deps, key []byte, o Options) (*WebChat, error) {
	if len(key) < 32 {
		return nil, fault.New(fault.Invalid, "webchat", "the token key is shorter than 32 bytes")
	}
	if o.TokenTTL == 0 {
		o.TokenTTL = defaultTokenTTL
	}
	o.TokenTTL = min(max(o.TokenTTL, minTokenTTL), maxTokenTTL)
	if o.MaxBody == 0 {
		o.MaxBody = 256 << 10
	}
	return &WebChat{
		deps: d, options: o,
		tokens:     tokens{key: key, ttl: o.TokenTTL, now: d.Now},
		transcript: &transcript{db: d.DB, now: d.Now, changed: map[string]chan struct{}{}, streams: map[string]int{}},
		quit:       make(chan struct{}),
	}, nil
}

// Close ends every stream; call it once, before the HTTP server waits for its connections.
func (w *WebChat) Close() { close(w.quit) }

// Routes are the channel's HTTP routes: Direct Line at /v3/directline for the default tenant
// and under /v1/messaging/webchat/{tenant} for a named one (formats digest 6.6).
func (w *WebChat) Routes() []route.Route {
	var all []route.Route
	for _, base := range []string{"", "/v1/messaging/webchat/{tenant}"} {
		dl := base + "/v3/directline"
		all = append(all,
			w.route("POST", dl+"/tokens/generate", "create", "token", w.generate),
			w.route("POST", dl+"/tokens/refresh", "create", "token", w.refresh),
			w.route("POST", dl+"/conversations", "create", "conversation", w.start),
			w.route("GET", dl+"/conversations/{id}", "read", "conversation", w.reconnect),
			w.route("POST", dl+"/conversations/{id}/activities", "post", "conversation", w.post),
			w.route("GET", dl+"/conversations/{id}/activities", "read", "conversation", w.activities),
			w.route("GET", dl+"/conversations/{id}/stream", "read", "conversation", w.stream),
		)
	}
	return append(all, w.route("POST", "/v1/messaging/webchat/{tenant}/token", "create", "token", w.generate))
}

func (w *WebChat) route(method, path, action, resource string, h handler) route.Route {
	return route.Route{Method: method, Path: path, Action: action, Resource: resource, Auth: route.Own, CORS: true, MaxBody: w.options.MaxBody, Handler: w.handle(h)}
}

// Names in the header of a trigger, which comes back with its replies.
const (
	headerConversation = "conversation"
	headerReplyTo      = "reply_to" // activity id
)

// Deliver stores a reply in its conversation and wakes the streams; header is that of the trigger
// it answers. id makes it idempotent: delivering twice under one id stores once. A conversation
// that does not exist is fault.NotFound, which no retry will mend.
func (w *WebChat) Deliver(ctx context.Context, tenant greentic.TenantCtx, header map[string]string, id string, r greentic.Reply) error {
	a := fromReply(r, tenant.Locale)
	a.ReplyToID = header[headerReplyTo]
	_, _, err := w.transcript.add(ctx, tenant, header[headerConversation], "out-"+id, a)
	return fault.Wrap("webchat deliver", err)
}

// accept hands a stored activity to the runner. The trigger's id is the client's own activity
// id where there is one (decisions 15), within its conversation.
func (w *WebChat) accept(ctx context.Context, tenant greentic.TenantCtx, id string, a Activity) (greentic.Receipt, error) {
	body, err := json.Marshal(toMessage(&a, id))
	if err != nil {
		return greentic.Receipt{}, fault.Wrap("webchat accept", err)
	}
	name := a.clientID()
	if name == "" {
		name = a.ID
	}
	tenant.User, tenant.Locale = greentic.UserID(userID(a.From.ID)), a.Locale
	return w.deps.Accept.Accept(ctx, greentic.Trigger{
		ID: id + "/" + name, Tenant: tenant, Kind: greentic.KindMessage, Route: Route,
		Key: sessionKey(tenant, id, a.From.ID), Body: body,
		Header: map[string]string{headerConversation: id, headerReplyTo: a.ID},
	})
}

// sessionKey is the ecosystem's canonical key: tenant:provider:anchor:user (formats digest 5.3).
func sessionKey(t greentic.TenantCtx, conversation, user string) string {
	return string(t.Tenant) + ":" + Route + ":" + conversation + ":" + user
}

// userID makes a channel's user name fit the identifier rule.
func userID(from string) string {
	b := []byte(from)
	for i, c := range b {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			b[i] = '_'
		}
	}
	return string(b)
}
