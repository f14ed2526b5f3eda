package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/postgres"
)

func open(t testing.TB, url string, now func() time.Time) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestPostgresKeepsThePromises(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, now func() time.Time) kvtest.Home {
		url := postgres.Server.URL(t)
		return kvtest.Home{Keeps: true, Shares: true, Open: func() (kv.DB, error) { return open(t, url, now), nil }}
	})
}

func BenchmarkTurnShaped(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("handles=%d", n), func(b *testing.B) {
			url, handles := postgres.Server.URL(b), make([]kv.DB, n)
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
