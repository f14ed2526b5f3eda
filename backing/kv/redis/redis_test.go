package redis_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/internal/testserver"
)

var server testserver.Redis

func TestMain(m *testing.M) {
	code := m.Run()
	if err := server.Close(); err != nil && code == 0 {
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

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
		url := server.URL(t)
		return kvtest.Home{Keeps: true, Shares: true, Open: func() (kv.DB, error) { return open(t, url, now), nil }}
	})
}

func BenchmarkTurnShaped(b *testing.B) {
	db := open(b, server.URL(b), time.Now)
	defer db.Close()
	kvtest.TurnShaped(b, db)
}
