package nats_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"greentic.dev/greentic"
)

// BenchmarkPublish is the cost of a durable event: one fsync each.
func BenchmarkPublish(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			on := openDir(b, b.TempDir())
			defer on.Close()
			if err := on.Publish(b.Context(), demo, greentic.Event{ID: "first", Topic: "a", Type: "t"}); err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			b.SetParallelism(max(writers/2, 1))
			b.ResetTimer()
			publish := func() {
				if err := on.Publish(b.Context(), demo, greentic.Event{ID: fmt.Sprint(n.Add(1)), Topic: "a", Type: "t", Subject: "s"}); err != nil {
					b.Error(err)
				}
			}
			if writers == 1 {
				for b.Loop() {
					publish()
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						publish()
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
