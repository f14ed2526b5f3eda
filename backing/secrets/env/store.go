package env

import (
	"context"
	"strings"

	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Prefix begins the name of every variable this store reads: the secret TELEGRAM_BOT_TOKEN is
// the variable GREENTIC_SECRET_TELEGRAM_BOT_TOKEN.
const Prefix = "GREENTIC_SECRET_"

// Store is a secrets.Store over variables. A secret is the same for every tenant, team, user
// and pack.
type Store struct {
	lookup func(string) (string, bool)
}

// New makes a store that reads variables through lookup, for example os.LookupEnv.
func New(lookup func(string) (string, bool)) *Store { return &Store{lookup: lookup} }

// Get implements secrets.Store.
func (s *Store) Get(_ context.Context, tenant greentic.TenantCtx, name secrets.Name) ([]byte, error) {
	if _, err := name.Path(tenant); err != nil {
		return nil, err
	}
	switch tenant.Env {
	case "local", "dev", "test":
	default:
		return nil, fault.Newf(fault.Denied, "secret", "environment variables are no secrets store for environment %q", tenant.Env)
	}
	key, err := secrets.CanonicalKey(name.Key)
	if err != nil {
		return nil, err
	}
	value, ok := s.lookup(Prefix + strings.ToUpper(key))
	if !ok {
		return nil, secrets.NotFound(name.Key)
	}
	return []byte(value), nil
}

// Put implements secrets.Store; it is unsupported.
func (s *Store) Put(context.Context, greentic.TenantCtx, secrets.Name, []byte) error {
	return fault.New(fault.Unsupported, "secret", "environment variables are read-only")
}

// Delete implements secrets.Store; it is unsupported.
func (s *Store) Delete(context.Context, greentic.TenantCtx, secrets.Name) error {
	return fault.New(fault.Unsupported, "secret", "environment variables are read-only")
}
