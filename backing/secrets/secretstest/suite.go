package secretstest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Case is one promise of a store.
type Case struct {
	Name  string
	Check func(ctx context.Context, s secrets.Store) error // s is empty
}

// Run checks every case against a store that open makes.
func Run(t *testing.T, open func(t *testing.T) secrets.Store) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Cases lists the promises of a store that can write.
func Cases() []Case {
	return []Case{
		{"what is put is got, byte for byte", putGet},
		{"an absent secret is not found", absent},
		{"a deleted secret is gone", deleted},
		{"tenants and environments do not see each other", isolation},
		{"team, pack and user are part of the name", scopes},
		{"keys are compared in canonical form", canonicalKeys},
		{"bad names and oversized values are invalid", badInput},
		{"values belong to their callers", ownership},
		{"errors carry no value", silence},
		{"concurrent use is safe", concurrency},
	}
}

func tenant(env, name string) greentic.TenantCtx {
	return greentic.TenantCtx{Env: greentic.EnvID(env), Tenant: greentic.TenantID(name), Team: "ignored", User: "ignored"}
}

func want(s secrets.Store, ctx context.Context, who greentic.TenantCtx, name secrets.Name, value string) error {
	got, err := s.Get(ctx, who, name)
	if err != nil || string(got) != value {
		return fmt.Errorf("%+v: got %q, %v; want %q", name, got, err, value)
	}
	return nil
}

func wantMissing(s secrets.Store, ctx context.Context, who greentic.TenantCtx, name secrets.Name) error {
	if got, err := s.Get(ctx, who, name); !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("%+v: got %q, %v; want not_found", name, got, err)
	}
	return nil
}

func putGet(ctx context.Context, s secrets.Store) error {
	for _, value := range []string{"x", "", "\x00\xff", strings.Repeat("v", secrets.MaxValue)} {
		if err := s.Put(ctx, tenant("local", "a"), secrets.Name{Key: "k"}, []byte(value)); err != nil {
			return err
		}
		if err := want(s, ctx, tenant("local", "a"), secrets.Name{Key: "k"}, value); err != nil {
			return err
		}
	}
	return nil
}

func absent(ctx context.Context, s secrets.Store) error {
	if err := wantMissing(s, ctx, tenant("local", "a"), secrets.Name{Key: "k"}); err != nil {
		return err
	}
	if err := s.Delete(ctx, tenant("local", "a"), secrets.Name{Key: "k"}); !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("delete: %v", err)
	}
	return nil
}

func deleted(ctx context.Context, s secrets.Store) error {
	who, name := tenant("local", "a"), secrets.Name{Key: "k"}
	if err := s.Put(ctx, who, name, []byte("x")); err != nil {
		return err
	}
	if err := s.Delete(ctx, who, name); err != nil {
		return err
	}
	return wantMissing(s, ctx, who, name)
}

func isolation(ctx context.Context, s secrets.Store) error {
	name := secrets.Name{Key: "k"}
	if err := s.Put(ctx, tenant("local", "a"), name, []byte("x")); err != nil {
		return err
	}
	for _, other := range []greentic.TenantCtx{tenant("local", "b"), tenant("dev", "a"), tenant("local", "a.k")} {
		if err := wantMissing(s, ctx, other, name); err != nil {
			return err
		}
	}
	return nil
}

func scopes(ctx context.Context, s secrets.Store) error {
	who := tenant("local", "a")
	names := []secrets.Name{{Key: "k"}, {Key: "k", Team: "t"}, {Key: "k", Pack: "t"}, {Key: "k", User: "t"}, {Key: "k", Team: "t", Pack: "t", User: "t"}}
	for i, name := range names {
		if err := wantMissing(s, ctx, who, name); err != nil {
			return err
		}
		if err := s.Put(ctx, who, name, []byte{byte('0' + i)}); err != nil {
			return err
		}
	}
	for i, name := range names {
		if err := want(s, ctx, who, name, string(rune('0'+i))); err != nil {
			return err
		}
	}
	return nil
}

func canonicalKeys(ctx context.Context, s secrets.Store) error {
	who := tenant("local", "a")
	if err := s.Put(ctx, who, secrets.Name{Key: "API/Key-1", Pack: "My.Pack"}, []byte("x")); err != nil {
		return err
	}
	return want(s, ctx, who, secrets.Name{Key: " api_key.1 ", Pack: "my_pack"}, "x")
}

func badInput(ctx context.Context, s secrets.Store) error {
	for _, name := range []secrets.Name{{}, {Key: " "}, {Key: "/k"}, {Key: "a/../b"}, {Key: "a b"}, {Key: "ä"}, {Key: strings.Repeat("k", 257)}, {Key: "k", Team: "a/b"}, {Key: "k", User: "a/b"}} {
		if err := s.Put(ctx, tenant("local", "a"), name, []byte("x")); !fault.Is(err, fault.Invalid) {
			return fmt.Errorf("put %+v: %v", name, err)
		}
		if _, err := s.Get(ctx, tenant("local", "a"), name); !fault.Is(err, fault.Invalid) {
			return fmt.Errorf("get %+v: %v", name, err)
		}
	}
	if err := s.Put(ctx, tenant("local", "a/b"), secrets.Name{Key: "k"}, []byte("x")); !fault.Is(err, fault.Invalid) {
		return fmt.Errorf("bad tenant: %v", err)
	}
	if err := s.Put(ctx, tenant("local", "a"), secrets.Name{Key: "k"}, make([]byte, secrets.MaxValue+1)); !fault.Is(err, fault.Invalid) {
		return fmt.Errorf("oversized value: %v", err)
	}
	return nil
}

func ownership(ctx context.Context, s secrets.Store) error {
	who, name, value := tenant("local", "a"), secrets.Name{Key: "k"}, []byte("value")
	if err := s.Put(ctx, who, name, value); err != nil {
		return err
	}
	value[0] = 'X'
	got, err := s.Get(ctx, who, name)
	if err != nil || !bytes.Equal(got, []byte("value")) {
		return fmt.Errorf("after the writer changed its bytes: %q %v", got, err)
	}
	got[0] = 'Y'
	return want(s, ctx, who, name, "value")
}

func silence(ctx context.Context, s secrets.Store) error {
	value := append([]byte("s3cr3t"), make([]byte, secrets.MaxValue)...)
	for _, name := range []secrets.Name{{Key: "k"}, {Key: "/"}} {
		if err := s.Put(ctx, tenant("local", "a"), name, value); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			return fmt.Errorf("%v", err)
		}
	}
	return nil
}

func concurrency(ctx context.Context, s secrets.Store) error {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for i := range 8 {
		wg.Go(func() {
			who, name := tenant("local", "a"), secrets.Name{Key: fmt.Sprintf("k%d", i)}
			if err := s.Put(ctx, who, name, []byte{byte(i)}); err != nil {
				errs <- err
			} else if err := want(s, ctx, who, name, string(rune(i))); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}
