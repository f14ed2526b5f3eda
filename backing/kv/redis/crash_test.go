package redis_test

import (
	"testing"
	"time"

	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/internal/testserver"
)

func TestAnUpdateWhoseCommitIsCutOffHappensOnce(t *testing.T) {
	wire := testserver.NewWire(t, redis.Server.URL(t))
	db := open(t, wire.URL(), time.Now)
	defer db.Close()
	kvtest.RunBroken(t, db, wire)
}

// A killed server has handed each commit to the operating system before it answered.
func TestNoAcknowledgedUpdateIsLostWhenTheServerIsKilled(t *testing.T) {
	var own testserver.Redis
	defer own.Close()
	db := open(t, own.URL(t), time.Now)
	defer db.Close()
	kvtest.RunCrashes(t, db, &own, true)
}
