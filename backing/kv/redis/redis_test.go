package redis_test

import (
	"fmt"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/redis"
)

func open(t testing.TB, url string, now func() time.Time) *redis.DB {
	t.Helper()
	db, err := redis.Open(t.Context(), url, redis.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestRedisKeepsThePromises(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, now func() time.Time) kvtest.Home {
		url := redis.Server.URL(t)
		return kvtest.Home{Keeps: true, Shares: true, Open: func() (kv.DB, error) { return open(t, url, now), nil }}
	})
}

func BenchmarkTurnShaped(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("handles=%d", n), func(b *testing.B) {
			url, handles := redis.Server.URL(b), make([]kv.DB, n)
			for i := range handles {
				handles[i] = open(b, url, time.Now)
			}
			kvtest.TurnShaped(b, handles...)
			for _, db := range handles {
				if err := db.Close(); err != nil {
					b.Error(err)
				}
			}
		})
	}
}
