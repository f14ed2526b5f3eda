package operate_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Operators see what subscriptions could not take in the same list as turns and replies, page by page,
// and look at it, try it again and drop it by the same commands.
func TestDeadLettersOfTheBusAreAmongTheOthers(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	d.refuse.Store(true)
	tenant := greentic.DefaultTenant()
	taken := make(chan string, 10)
	var broken atomic.Bool
	broken.Store(true)
	stop, err := d.bus.Subscribe(t.Context(), tenant, bus.Subscription{Name: "orders", Topics: []string{"shop.orders"}, Parallel: 1}, func(_ context.Context, e bus.Delivery) error {
		if broken.Load() {
			return fault.New(fault.Invalid, "orders", "no order in "+e.Event.ID)
		}
		taken <- e.Event.ID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	d.say("k", "1", "a")
	for i := range 3 {
		e := greentic.Event{ID: fmt.Sprint("e", i), Topic: "shop.orders", Type: "order", Subject: "one", Payload: []byte(`{"n":1}`), Time: time.Now()}
		if err := d.bus.Publish(t.Context(), tenant, e); err != nil {
			t.Fatal(err)
		}
	}
	var all list
	read := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; {
			all = list{}
			for after, more := "", true; more; more = after != "" {
				var page list
				d.call("GET", "/v1/deadletters?limit=1&after="+url.QueryEscape(after), "", &page)
				all.Letters = append(all.Letters, page.Letters...)
				after = page.Next
			}
			if len(all.Letters) == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", all.Letters)
			}
		}
	}
	read(4)
	kinds := ""
	for _, l := range all.Letters {
		kinds += l.Kind + " "
	}
	if kinds != "reply subscription subscription subscription " {
		t.Fatalf("kinds %s", kinds)
	}
	first, second := all.Letters[1], all.Letters[2]
	if first.Key != "orders" || first.Code != "invalid" || !strings.Contains(first.Reason, "no order in e0") || !strings.HasPrefix(first.ID, "bus-") {
		t.Errorf("%+v", first)
	}
	var one struct {
		ID, Kind, Subscription string
		Attempts               int
		Event                  struct{ ID, Topic string }
	}
	if d.call("GET", "/v1/deadletters/"+first.ID, "", &one); one.ID != first.ID || one.Subscription != "orders" || one.Attempts != 1 || one.Event.ID != "e0" {
		t.Errorf("%+v", one)
	}
	broken.Store(false)
	if w := d.call("POST", "/v1/deadletters/"+first.ID+"/retry", "", nil); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := <-taken; got != "e0" {
		t.Errorf("taken is %s", got)
	}
	if w := d.call("DELETE", "/v1/deadletters/"+second.ID, "", nil); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	read(2)
	for _, gone := range []string{first.ID, second.ID, "bus-", "bus-no"} {
		for _, ask := range [][2]string{{"GET", ""}, {"POST", "/retry"}, {"DELETE", ""}} {
			if w := d.call(ask[0], "/v1/deadletters/"+gone+ask[1], "", nil); w.Code != 404 {
				t.Errorf("%s %s%s: %d %s", ask[0], gone, ask[1], w.Code, w.Body)
			}
		}
		if w := d.call("GET", "/v1/deadletters/"+all.Letters[1].ID+"?tenant=other", "", nil); w.Code != 404 {
			t.Errorf("another tenant's: %d", w.Code)
		}
	}
	if err := d.bus.Close(); err != nil {
		t.Fatal(err)
	}
	var without struct {
		Letters []struct{ Kind string } `json:"dead_letters"`
		Lacks   string
	}
	if d.call("GET", "/v1/deadletters", "", &without); len(without.Letters) != 1 || !strings.Contains(without.Lacks, "closed") {
		t.Errorf("while the bus is away: %+v", without)
	}
}
