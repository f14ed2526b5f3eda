package secretstest

import (
	"context"
	"testing"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic"
)

// broken changes how one thing of the reference behaves.
type broken struct {
	secrets.Store
	who  func(greentic.TenantCtx) greentic.TenantCtx
	name func(secrets.Name) secrets.Name
}

func (b broken) Get(ctx context.Context, t greentic.TenantCtx, n secrets.Name) ([]byte, error) {
	return b.Store.Get(ctx, b.who(t), b.name(n))
}

func (b broken) Put(ctx context.Context, t greentic.TenantCtx, n secrets.Name, v []byte) error {
	return b.Store.Put(ctx, b.who(t), b.name(n), v)
}

func TestBrokenStoresAreCaughtByName(t *testing.T) {
	sameName := func(n secrets.Name) secrets.Name { return n }
	sameTenant := func(t greentic.TenantCtx) greentic.TenantCtx { return t }
	for promise, open := range map[string]func() secrets.Store{
		"tenants and environments do not see each other": func() secrets.Store {
			return broken{memory.New(), func(t greentic.TenantCtx) greentic.TenantCtx { t.Tenant = "one"; return t }, sameName}
		},
		"team, pack and user are part of the name": func() secrets.Store {
			return broken{memory.New(), sameTenant, func(n secrets.Name) secrets.Name { n.User = ""; return n }}
		},
	} {
		for _, c := range Cases() {
			if c.Name == promise && c.Check(t.Context(), open()) == nil {
				t.Errorf("a store that breaks %q passes", promise)
			}
		}
	}
}
