package redis_test

import (
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
	db := open(b, redis.Server.URL(b), time.Now)
	defer db.Close()
	kvtest.TurnShaped(b, db)
}
