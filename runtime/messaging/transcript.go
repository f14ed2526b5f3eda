package messaging

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// transcript keeps conversations in kv. Keys of one conversation:
//
//	webchat/<id>/meta       conversation
//	webchat/<id>/a/<seq>    activity
//	webchat/<id>/by/<name>  seq of the activity stored under a client or delivery id
type transcript struct {
	db  kv.DB
	now func() time.Time

	mu      sync.Mutex
	changed map[string]chan struct{} // closed when a conversation grows
	streams map[string]int           // open streams by conversation
	all     int                      // open streams
}

// Limits of open streams: each holds memory, and a stranger opens one for nothing.
const (
	streamsOfOne = 16
	streamsOfAll = 10_000
)

// conversation is the head of a transcript.
type conversation struct {
	ID      string          `json:"id"`
	User    string          `json:"user,omitempty"` // the only user who may post, when the token named one
	Team    greentic.TeamID `json:"team,omitempty"`
	Next    uint64          `json:"next"` // seq of the next activity; also the newest watermark
	Created time.Time       `json:"created"`
}

func metaKey(id string) string               { return "webchat/" + id + "/meta" }
func activityKey(id string, n uint64) string { return fmt.Sprintf("webchat/%s/a/%012d", id, n) }
func nameKey(id, name string) string         { return "webchat/" + id + "/by/" + name }

func readConversation(r kv.Reader, id string) (conversation, error) {
	var c conversation
	raw, err := r.Get(metaKey(id))
	if fault.Is(err, fault.NotFound) {
		return c, fault.New(fault.NotFound, "webchat", "no such conversation")
	}
	if err != nil {
		return c, err
	}
	return c, fault.Wrap("webchat conversation", json.Unmarshal(raw, &c))
}

func put(t kv.Txn, key string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fault.Wrap("webchat store", err)
	}
	return t.Put(key, raw, 0)
}

// begin creates a conversation, or finds the one of that id.
func (t *transcript) begin(ctx context.Context, tenant greentic.TenantCtx, id, user string) (created bool, err error) {
	err = t.db.Update(ctx, tenant, func(x kv.Txn) error {
		_, err := readConversation(x, id)
		created = fault.Is(err, fault.NotFound)
		if !created {
			return err
		}
		return put(x, metaKey(id), conversation{ID: id, User: user, Team: tenant.Team, Created: t.now()})
	})
	return created, err
}

// find reads a conversation's head; fault.NotFound when there is none in this tenant.
func (t *transcript) find(ctx context.Context, tenant greentic.TenantCtx, id string) (c conversation, err error) {
	err = t.db.View(ctx, tenant, func(r kv.Reader) error {
		c, err = readConversation(r, id)
		return err
	})
	return c, err
}

// add appends an activity, giving it id and timestamp. A name that is not empty makes it
// idempotent: the activity stored first under that name is returned, with again true.
func (t *transcript) add(ctx context.Context, tenant greentic.TenantCtx, id, name string, a Activity) (stored Activity, again bool, err error) {
	err = t.db.Update(ctx, tenant, func(x kv.Txn) error {
		stored, again = a, false
		c, err := readConversation(x, id)
		if err != nil {
			return err
		}
		if name != "" {
			seq, err := x.Get(nameKey(id, name))
			if err == nil {
				n, _ := strconv.ParseUint(string(seq), 10, 64)
				raw, err := x.Get(activityKey(id, n))
				if err != nil {
					return err
				}
				again = true
				return fault.Wrap("webchat activity", json.Unmarshal(raw, &stored))
			}
			if !fault.Is(err, fault.NotFound) {
				return err
			}
			if err := x.Put(nameKey(id, name), []byte(strconv.FormatUint(c.Next, 10)), 0); err != nil {
				return err
			}
		}
		stored.ID = fmt.Sprintf("%s|%07d", id, c.Next)
		stored.Timestamp = t.now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
		stored.ChannelID, stored.Conversation = "directline", &Account{ID: id}
		if err := put(x, activityKey(id, c.Next), stored); err != nil {
			return err
		}
		c.Next++
		return put(x, metaKey(id), c)
	})
	if err == nil && !again {
		t.wake(tenant, id)
	}
	return stored, again, err
}

// page is the answer to "what is new since this watermark".
type page struct {
	Activities []Activity `json:"activities"`
	Watermark  string     `json:"watermark"`
}

// pageSize bounds one answer; a client asks again with the watermark it got.
const pageSize = 200

// since reads the activities from a watermark on; the empty watermark is the beginning.
func (t *transcript) since(ctx context.Context, tenant greentic.TenantCtx, id, watermark string) (page, error) {
	var p page
	var from uint64
	if watermark != "" {
		n, err := strconv.ParseUint(watermark, 10, 63)
		if err != nil {
			return p, fault.Newf(fault.Invalid, "watermark", "%.40q is not a watermark of ours", watermark)
		}
		from = n
	}
	err := t.db.View(ctx, tenant, func(r kv.Reader) error {
		p.Activities = []Activity{} // a view may run again
		c, err := readConversation(r, id)
		if err != nil {
			return err
		}
		from = min(from, c.Next)
		_, end := kv.Prefix("webchat/" + id + "/a/")
		var bad error
		err = r.Scan(activityKey(id, from), end, pageSize, func(_ string, value []byte) bool {
			var a Activity
			if bad = json.Unmarshal(value, &a); bad != nil {
				return false
			}
			p.Activities = append(p.Activities, a)
			return true
		})
		if err == nil {
			err = fault.Wrap("webchat activity", bad)
		}
		p.Watermark = strconv.FormatUint(from+uint64(len(p.Activities)), 10)
		return err
	})
	return p, err
}

func topic(tenant greentic.TenantCtx, id string) string {
	return strings.Join([]string{string(tenant.Env), string(tenant.Tenant), id}, "/")
}

// join counts a stream in; fault.Exhausted when there are too many. leave must follow success.
func (t *transcript) join(tenant greentic.TenantCtx, id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := topic(tenant, id)
	if t.streams[key] >= streamsOfOne || t.all >= streamsOfAll {
		return fault.New(fault.Exhausted, "webchat stream", "too many streams are open").WithCode("TooManyStreams")
	}
	t.streams[key]++
	t.all++
	return nil
}

// leave counts a stream out; with the last one the conversation is watched no more.
func (t *transcript) leave(tenant greentic.TenantCtx, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := topic(tenant, id)
	t.all--
	if t.streams[key]--; t.streams[key] == 0 {
		delete(t.streams, key)
		delete(t.changed, key)
	}
}

// watch returns a channel that is closed when the conversation next grows. Take it before
// reading, so that nothing is missed in between.
func (t *transcript) watch(tenant greentic.TenantCtx, id string) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := topic(tenant, id)
	c, ok := t.changed[key]
	if !ok {
		c = make(chan struct{})
		t.changed[key] = c
	}
	return c
}

func (t *transcript) wake(tenant greentic.TenantCtx, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := topic(tenant, id)
	if c, ok := t.changed[key]; ok {
		close(c)
		delete(t.changed, key)
	}
}
