package runner_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"greentic.dev/backing/queue"
)

// loop answers every message and waits for the next.
const loop = `
start: say
nodes:
  say:
    emit.response: { text: "you said {{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: say }]
`

// arrivals is a connector that tells each conversation when its reply came.
type arrivals struct{ of map[string]chan struct{} }

func (a *arrivals) Deliver(_ context.Context, o queue.Outgoing) error {
	a.of[o.Key] <- struct{}{}
	return nil
}

// cpu is the processor time of the process so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTurnSQLite is a whole durable turn, fsync on: accept, run a flow of builtins, commit,
// deliver; each conversation sends its next message when the answer has arrived.
func BenchmarkTurnSQLite(b *testing.B) {
	for _, conversations := range []int{1, 64} {
		b.Run(fmt.Sprintf("turn_sqlite_%d", conversations), func(b *testing.B) {
			r := newSQLiteRig(b)
			r.options.Workers = 64
			arrived := &arrivals{of: map[string]chan struct{}{}}
			for c := range conversations {
				arrived.of[fmt.Sprint("conversation-", c)] = make(chan struct{}, 1)
			}
			r.deliverer = arrived
			run, stop := r.start(makePack(b, "t.loop", map[string]string{"main": loop}, nil))
			defer stop()
			var n atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			before := cpu(b)
			for key, answer := range arrived.of {
				all.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if _, err := run.Accept(context.Background(), say(key, fmt.Sprint(i), "hello")); err != nil {
							b.Error(err)
							return
						}
						<-answer
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}
