package runner_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"greentic.dev/backing/shard"
)

// Shards that change hands in peace, when a runner joins and when one leaves, are without an owner for
// a moment only: no message waits for a heartbeat, of which there is one in 1.5 s.
func TestAHandOverInPeaceTakesAMoment(t *testing.T) {
	const most = 250 * time.Millisecond // of the clock in the bubble, which stands still while somebody works
	pack := makePack(t, "t.echo", map[string]string{"main": echo}, nil)
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		runners := map[string]func(){}
		join := func(name string) {
			r.shards = shard.New(r.db, shard.Options{Name: name})
			_, runners[name] = r.start(pack)
		}
		keepers := func() int { return len(r.shards.Leases()) }
		join("first")
		front := r.newRunner(r.db, pack) // accepts, and works on nothing
		time.Sleep(10 * time.Second)     // shards rest for a while where they are
		n := 0
		talk := func(d time.Duration) {
			var all sync.WaitGroup
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				n++
				n, key := n, fmt.Sprint("k", n)
				accept(t, front, say(key, "1", "hello"))
				sent := time.Now()
				all.Go(func() {
					r.channel.replies(t, key, 1)
					if took := time.Since(sent); took > most {
						t.Errorf("message %d waited for %v", n, took)
					}
				})
			}
			all.Wait()
		}
		join("second")
		talk(3 * time.Second)
		if n := keepers(); n < shard.Count/3 || n > shard.Count*2/3 { // the load counts, too
			t.Errorf("the one that joined has %d shards", n)
		}
		runners["first"]()
		talk(3 * time.Second)
		if keepers() != shard.Count {
			t.Errorf("the one that stays has %d shards", keepers())
		}
		runners["second"]()
	})
}
