package system

import (
	"os"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/internal/testserver"
)

var (
	postgresServer testserver.Postgres
	redisServer    testserver.Redis
)

func TestMain(m *testing.M) {
	code := m.Run()
	if postgresServer.Close() != nil || redisServer.Close() != nil {
		code = 1
	}
	os.Exit(code)
}

func TestAStoreIsOpenedByItsURL(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"memory":   func(*testing.T) string { return "memory:" },
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/kv.db" },
		"postgres": func(t *testing.T) string { return postgresServer.URL(t) },
		"redis":    func(t *testing.T) string { return redisServer.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &System{config: &Config{Store: url(t)}, now: time.Now}
			db, err := s.openStore(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error { return x.Put("k", nil, 0) })
			if err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
