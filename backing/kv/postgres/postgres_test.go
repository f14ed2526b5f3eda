package postgres_test

import (
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
	db := open(b, postgres.Server.URL(b), time.Now)
	defer db.Close()
	kvtest.TurnShaped(b, db)
}
