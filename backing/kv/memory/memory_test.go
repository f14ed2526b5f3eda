package memory_test

import (
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/memory"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	kvtest.Run(t, func(_ *testing.T, now func() time.Time) kvtest.Home {
		return kvtest.Home{Open: func() (kv.DB, error) { return memory.New(now), nil }}
	})
}
