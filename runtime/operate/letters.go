package operate

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/runner"
)

// trigger is a trigger as people read it: its body is JSON.
type trigger struct {
	greentic.Trigger
	Body json.RawMessage `json:"body"`
}

func readable(t greentic.Trigger) trigger {
	out := trigger{t, t.Body}
	if !json.Valid(t.Body) {
		out.Body = nil
	}
	return out
}

// letter is a dead letter as people read it.
type letter struct {
	queue.Letter
	Key   string `json:"key"` // the conversation; of one from the bus, the subscription
	Entry *entry `json:"entry,omitempty"`

	// Of one from the bus: what the subscription could not handle.
	Subscription string          `json:"subscription,omitempty"`
	Attempts     int             `json:"attempts,omitempty"`
	Event        *greentic.Event `json:"event,omitempty"`
}

// Letters of the bus are listed after all others, under ids of their own.
const (
	kindSubscription = "subscription"
	busPrefix        = "bus-"
)

// busID is the id that the bus knows a letter by, if it is one of its own. No id of a turn begins so.
func busID(id string) (string, bool) { return strings.CutPrefix(id, busPrefix) }

func readBusLetter(d bus.DeadLetter) letter {
	return letter{Letter: queue.Letter{ID: busPrefix + d.ID, Kind: kindSubscription, At: d.Time, Reason: d.Reason, Code: d.Kind},
		Key: d.Subscription, Subscription: d.Subscription, Attempts: d.Attempts, Event: &d.Event}
}

// busLetters are the letters of the bus after one of them ("": from the first), at most n (0: all).
func (a *API) busLetters(ctx context.Context, tenant greentic.TenantCtx, after string, n int) (list []letter, err error) {
	limit := 0
	if after == "" {
		limit = n
	}
	found, err := a.deps.Bus.DeadLetters(ctx, tenant, "", limit)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(found, func(d bus.DeadLetter) bool { return d.ID == after }); after != "" {
		found = found[i+1:] // one that is gone meanwhile: all again
	}
	for _, d := range found {
		if list = append(list, readBusLetter(d)); len(list) == n {
			break
		}
	}
	return list, nil
}

type entry struct {
	queue.Entry
	Trigger trigger `json:"trigger"`
}

func readLetter(l queue.Letter) letter {
	out := letter{Letter: l}
	switch {
	case l.Entry != nil:
		out.Key, out.Entry = l.Entry.Trigger.Key, &entry{*l.Entry, readable(l.Entry.Trigger)}
	case l.Parcel != nil:
		out.Key = l.Parcel.Key
	}
	return out
}

func (a *API) letters(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	n, err := limit(r)
	if err != nil {
		return nil, err
	}
	after := r.URL.Query().Get("after")
	last, onBus := busID(after)
	list := []letter{}
	if !onBus {
		err = a.view(r.Context(), tenant, func(x kv.Reader) error {
			list = []letter{}
			some, err := queue.Letters(x, after, n+1)
			for _, l := range some {
				list = append(list, readLetter(l))
			}
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	page := struct {
		Letters []letter `json:"dead_letters"`
		Next    string   `json:"next,omitempty"`
		Lacks   string   `json:"lacks,omitempty"` // why the letters of the bus are not among them
	}{}
	if len(list) <= n {
		more, err := a.busLetters(r.Context(), tenant, last, n+1-len(list))
		switch {
		case fault.Is(err, fault.Unavailable): // no reason to hide the others
			page.Lacks = err.Error()
		case err != nil:
			return nil, hidden(err)
		}
		list = append(list, more...)
	}
	if page.Letters = list; len(list) > n {
		page.Letters, page.Next = list[:n], list[n-1].ID
	}
	return page, nil
}

func (a *API) letter(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	if id, is := busID(r.PathValue("id")); is {
		list, err := a.busLetters(r.Context(), tenant, "", 0)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(list, func(l letter) bool { return l.ID == busPrefix+id }); i >= 0 {
			return list[i], nil
		}
		return nil, hidden(fault.New(fault.NotFound, "dead letter", "there is none"))
	}
	var l queue.Letter
	err := a.view(r.Context(), tenant, func(x kv.Reader) (err error) {
		l, err = queue.LetterOf(x, r.PathValue("id"))
		return err
	})
	if err != nil {
		return nil, err
	}
	return readLetter(l), nil
}

func (a *API) retry(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	if id, is := busID(r.PathValue("id")); is {
		if err := a.deps.Bus.Retry(r.Context(), tenant, id); err != nil {
			return nil, hidden(err)
		}
		a.deps.Log.Info("dead letter is tried again", "tenant", tenant.Tenant, "letter", busPrefix+id, "kind", kindSubscription)
		return map[string]any{"id": busPrefix + id, "kind": kindSubscription}, nil
	}
	l, err := a.revive(r.Context(), tenant, r.PathValue("id"))
	if err != nil {
		return nil, hidden(err)
	}
	out := readLetter(l)
	a.deps.Log.Info("dead letter is tried again", "tenant", tenant.Tenant, "letter", l.ID, "kind", l.Kind)
	return map[string]any{"id": l.ID, "kind": l.Kind, "key": out.Key}, nil
}

func (a *API) drop(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	var err error
	if id, is := busID(r.PathValue("id")); is {
		err = a.deps.Bus.Drop(r.Context(), tenant, id)
	} else {
		err = a.deps.DB.Update(r.Context(), tenant, func(x kv.Txn) error { return queue.Drop(x, r.PathValue("id")) })
	}
	if err != nil {
		return nil, hidden(err)
	}
	a.deps.Log.Info("dead letter dropped", "tenant", tenant.Tenant, "letter", r.PathValue("id"))
	return nil, nil
}

// maxDepth bounds the count of waiting work in the whole store.
const maxDepth = 10_000

// depth is how much work of all tenants waits in the store.
type depth struct {
	Count int  `json:"count"`
	More  bool `json:"more,omitempty"` // it is more than count
}

func (d *depth) add() bool {
	if d.More = d.Count == maxDepth; !d.More {
		d.Count++
	}
	return !d.More
}

func (a *API) status(_ http.ResponseWriter, r *http.Request, _ greentic.TenantCtx) (any, error) {
	var out struct {
		runner.Status
		Inbox  depth `json:"inbox"`
		Outbox depth `json:"outbox"`
	}
	out.Status = a.deps.Runner.Status()
	err := a.deps.DB.System(r.Context(), func(x kv.Txn) error {
		out.Inbox, out.Outbox = depth{}, depth{}
		for s := range shard.Count {
			err := queue.Work(x, s, 0, func(string, queue.Lane) bool { return out.Inbox.add() }, func(string, queue.Destination) bool { return out.Outbox.add() })
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
