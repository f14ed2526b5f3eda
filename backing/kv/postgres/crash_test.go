package postgres_test

import (
	"testing"
	"time"

	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/internal/testserver"
)

func TestAnUpdateWhoseCommitIsCutOffHappensOnce(t *testing.T) {
	wire := testserver.NewWire(t, postgres.Server.URL(t))
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
