package kv

import (
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Limits of keys and values, the same for every backend.
const (
	MaxKey   = 1 << 10 // bytes
	MaxValue = 8 << 20 // bytes
)

// TooLarge is the code of the failure of a write whose value is over the limit.
const TooLarge = "too_large"

// CheckKey refuses an empty or over-long key.
func CheckKey(key string) error {
	if key == "" {
		return fault.New(fault.Invalid, "kv", "the key is empty")
	}
	if len(key) > MaxKey {
		return fault.Newf(fault.Invalid, "kv", "the key has %d bytes, at most %d are allowed", len(key), MaxKey)
	}
	return nil
}

// CheckPut is CheckKey for a write; it also refuses an over-long value.
func CheckPut(key string, value []byte) error {
	if len(value) > MaxValue {
		return fault.Newf(fault.Invalid, "kv", "the value of %q has %d bytes, at most %d are allowed", key, len(value), MaxValue).WithCode(TooLarge)
	}
	return CheckKey(key)
}

// Scope is the name under which a backend keeps the keys of a tenant. Identifiers hold no '/',
// so scopes do not collide; the system scope is "".
func Scope(t greentic.TenantCtx) (string, error) {
	if err := t.Check(); err != nil {
		return "", err
	}
	return string(t.Env) + "/" + string(t.Tenant), nil
}
