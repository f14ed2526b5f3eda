package operate

import (
	"encoding/json"
	"net/http"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
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
	Key   string `json:"key"` // the conversation
	Entry *entry `json:"entry,omitempty"`
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
	var list []queue.Letter
	err = a.view(r.Context(), tenant, func(x kv.Reader) (err error) {
		list, err = queue.Letters(x, r.URL.Query().Get("after"), n+1)
		return err
	})
	page := struct {
		Letters []letter `json:"dead_letters"`
		Next    string   `json:"next,omitempty"`
	}{Letters: []letter{}}
	if len(list) > n {
		list, page.Next = list[:n], list[n-1].ID
	}
	for _, l := range list {
		page.Letters = append(page.Letters, readLetter(l))
	}
	return page, err
}

func (a *API) letter(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
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
	l, err := a.revive(r.Context(), tenant, r.PathValue("id"))
	if err != nil {
		return nil, hidden(err)
	}
	out := readLetter(l)
	a.deps.Log.Info("dead letter is tried again", "tenant", tenant.Tenant, "letter", l.ID, "kind", l.Kind)
	return map[string]any{"id": l.ID, "kind": l.Kind, "key": out.Key}, nil
}

func (a *API) drop(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	err := a.deps.DB.Update(r.Context(), tenant, func(x kv.Txn) error { return queue.Drop(x, r.PathValue("id")) })
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
