package postgres_test

import (
	"testing"
	"time"

	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/testserver"
)

func TestAnUpdateWhoseCommitIsCutOffHappensOnce(t *testing.T) {
	wire := testserver.NewWire(t, server.URL(t))
	db := open(t, wire.URL(), time.Now)
	defer db.Close()
	kvtest.RunBroken(t, db, wire)
}

func TestNoAcknowledgedUpdateIsLostWhenTheServerIsKilled(t *testing.T) {
	var own testserver.Postgres
	defer own.Close()
	db := open(t, own.URL(t), time.Now)
	defer db.Close()
	kvtest.RunCrashes(t, db, &own, true)
}

func TestAServerThatIsAwayIsUnavailable(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://u:secret-word@127.0.0.1:1/x?sslmode=disable", postgres.Options{})
	if !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
}
