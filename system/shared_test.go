package system

import "testing"

// Two processes that both took a server for their own would run each conversation twice.
func TestAStoreIsSharedUnlessOnlyThisProcessCanHaveIt(t *testing.T) {
	for store, shared := range map[string]bool{
		"": false, "sqlite:data/greentic.db": false, "memory:": false,
		"postgres://host/db": true, "postgresql://host/db": true, "redis://host": true, "rediss://host": true, "redis+unix:///run/redis.sock": true,
	} {
		s := System{config: &Config{Store: store}}
		if s.shared() != shared {
			t.Errorf("%q: shared is %v", store, !shared)
		}
		s.options.Ephemeral = true
		if s.shared() {
			t.Errorf("%q: a run that keeps nothing shares its store", store)
		}
	}
}
