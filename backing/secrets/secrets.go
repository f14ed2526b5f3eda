package secrets

import (
	"context"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// MaxValue is the largest value in bytes.
const MaxValue = 64 << 10

// Store keeps secrets. A call sees the (environment, tenant) of its TenantCtx only; team and
// user do not narrow it, they are part of the Name. Safe for concurrent use. Values are owned
// by the caller. Errors: fault.NotFound (Get, Delete of an absent secret), fault.Invalid (bad
// name, tenant, or value over MaxValue), fault.Unsupported (Put and Delete of a read-only
// store), fault.Denied (the store does not serve this environment), fault.Unavailable. No
// error carries a value.
type Store interface {
	Get(ctx context.Context, tenant greentic.TenantCtx, name Name) ([]byte, error)
	Put(ctx context.Context, tenant greentic.TenantCtx, name Name, value []byte) error
	Delete(ctx context.Context, tenant greentic.TenantCtx, name Name) error
}

// Name says which secret of a tenant. Stores compare names by Path.
type Name struct {
	Team greentic.TeamID // empty: of the whole tenant
	Pack string          // empty: for every pack
	User greentic.UserID // empty: not of one person
	Key  string          // as the component writes it, for example TELEGRAM_BOT_TOKEN
}

// Path is the canonical form: secrets://{env}/{tenant}/{team or _}/{pack or _}/{name}, where
// name is the canonical key, behind "user.{user}." for a person's own. Two names with the
// same path are the same secret. The error is fault.Invalid.
func (n Name) Path(tenant greentic.TenantCtx) (string, error) {
	scope := greentic.TenantCtx{Env: tenant.Env, Tenant: tenant.Tenant, Team: n.Team, User: n.User}
	if err := scope.Check(); err != nil {
		return "", fault.Wrap("secret", err)
	}
	key, err := CanonicalKey(n.Key)
	if err != nil {
		return "", err
	}
	team, pack := "_", "_"
	if n.Team != "" {
		team = string(n.Team)
	}
	if n.Pack != "" {
		pack = canonical(n.Pack, "_-")
	}
	if n.User != "" {
		key = "user." + string(n.User) + "." + key
	}
	return "secrets://" + string(tenant.Env) + "/" + string(tenant.Tenant) + "/" + team + "/" + pack + "/" + key, nil
}

// CanonicalKey trims and lower-cases a key and writes "_" for every character outside
// [a-z0-9_]. The error is fault.Invalid: empty, over 256 bytes, a leading '/', a ".." segment,
// or a character outside A-Z a-z 0-9 . _ - / (formats digest 5.2).
func CanonicalKey(raw string) (string, error) {
	key := strings.TrimSpace(raw)
	switch {
	case key == "" || len(key) > 256:
		return "", fault.New(fault.Invalid, "secret key", "it is empty or longer than 256 bytes")
	case strings.HasPrefix(key, "/"), strings.Contains("/"+key+"/", "/../"):
		return "", fault.Newf(fault.Invalid, "secret key", "%q looks like a path out of its place", key)
	case strings.Trim(strings.ToLower(key), "abcdefghijklmnopqrstuvwxyz0123456789._-/") != "":
		return "", fault.Newf(fault.Invalid, "secret key", "%q has characters that are not allowed", key)
	}
	return canonical(key, "_"), nil
}

func canonical(s, keep string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(keep, r) {
			return r
		}
		return '_'
	}, strings.ToLower(strings.TrimSpace(s)))
}

// Find gets the secret that key means for a component of pack running for tenant: the user's
// own before a shared one, then the team's before the tenant's, then the pack's before every
// pack's. The error is fault.NotFound when none of them exists, else the store's.
func Find(ctx context.Context, s Store, tenant greentic.TenantCtx, pack, key string) ([]byte, error) {
	users, teams, packs := []greentic.UserID{tenant.User, ""}, []greentic.TeamID{tenant.Team, ""}, []string{pack, ""}
	seen := map[Name]bool{}
	for _, user := range users {
		for _, team := range teams {
			for _, pack := range packs {
				name := Name{Team: team, Pack: pack, User: user, Key: key}
				if seen[name] {
					continue
				}
				seen[name] = true
				value, err := s.Get(ctx, tenant, name)
				if !fault.Is(err, fault.NotFound) {
					return value, err
				}
			}
		}
	}
	return nil, NotFound(key)
}

// NotFound is the error for a secret that is not there; it names the key.
func NotFound(key string) error { return fault.Newf(fault.NotFound, "secret", "%q is not set", key) }
