package redis

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/testserver"
)

// Server is the one server of the tests of this package.
var Server testserver.Redis

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(Server.Close(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// direct is a connection beside the store's.
func direct(t *testing.T, url string) *store {
	t.Helper()
	option, namespace, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &store{newServer(client, namespace)}
}

func TestAStoreOfANewerVersionIsRefused(t *testing.T) {
	url := Server.URL(t)
	db, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := direct(t, url)
	if err := s.client.Do(t.Context(), s.client.B().Set().Key(s.prefix+"version").Value("99").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), url, Options{}); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "version 99") {
		t.Fatalf("err = %v", err)
	}
}

func TestAServerThatEvictsKeysIsRefused(t *testing.T) {
	var own testserver.Redis
	defer own.Close()
	url := own.URL(t)
	s := direct(t, url)
	for name, value := range map[string]string{"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"} {
		if err := s.client.Do(t.Context(), s.client.B().ConfigSet().ParameterValue().ParameterValue(name, value).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), url, Options{}); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "allkeys-lru") {
		t.Fatalf("err = %v", err)
	}
}

func TestExpiredKeysAreDeleted(t *testing.T) {
	url, clock := Server.URL(t), kvtest.NewClock()
	db, err := Open(t.Context(), url, Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func(ttl func(i int) time.Duration) error {
		return db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error {
			for i := range 3000 {
				if err := x.Put(fmt.Sprintf("k/%d", i), nil, ttl(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := put(func(i int) time.Duration { return time.Duration(1+i%2) * time.Hour }); err != nil {
		t.Fatal(err)
	}
	clock.Add(90 * time.Minute)
	s := direct(t, url)
	for _, want := range []bool{true, false} {
		if more, err := s.Purge(t.Context(), clock.Now()); err != nil || more != want {
			t.Errorf("more=%v, %v", more, err)
		}
	}
	count := func(want int64) {
		t.Helper()
		for i, key := range s.keys[2:5] { // values, order, expiries
			var n int64
			var err error
			if i == 0 {
				n, err = s.client.Do(t.Context(), s.client.B().Hlen().Key(key).Build()).AsInt64()
			} else {
				n, err = s.client.Do(t.Context(), s.client.B().Zcard().Key(key).Build()).AsInt64()
			}
			if err != nil || n != want {
				t.Errorf("%s holds %d keys, want %d (%v)", key, n, want, err)
			}
		}
	}
	count(1500)
}

func TestAPasswordIsInNoError(t *testing.T) {
	for url, kind := range map[string]fault.Kind{
		"redis://u:secret-word@127.0.0.1:1":               fault.Unavailable,
		"redis://u:secret-word@127.0.0.1:port":            fault.Invalid,
		"redis://u:secret-word@127.0.0.1:1/x/y":           fault.Invalid,
		"redis://u:secret-word@127.0.0.1:1?namespace=a}b": fault.Invalid,
	} {
		_, err := Open(t.Context(), url, Options{})
		if !fault.Is(err, kind) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
