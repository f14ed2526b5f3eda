package host

import (
	"context"
	"slices"

	"greentic.dev/backing/secrets"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
)

// mayUse says whether a grant names key, as the component wrote it or in canonical form.
func mayUse(granted []string, key string) bool {
	if slices.Contains(granted, key) {
		return true
	}
	canonical, err := secrets.CanonicalKey(key)
	return err == nil && slices.ContainsFunc(granted, func(g string) bool {
		c, err := secrets.CanonicalKey(g)
		return err == nil && c == canonical
	})
}

// secretGet is secrets-store.get. The policy is asked before the store, so a component learns
// nothing about secrets it was not granted.
func secretGet(iface string) wasm.HostFunc {
	return func(ctx context.Context, call *wasm.Call, args []any) (any, error) {
		inv, err := invocationOf(call)
		if err != nil {
			return nil, err
		}
		key, err := argument[string](args, 0)
		if err != nil {
			return nil, err
		}
		var value []byte
		e := &trace.Exchange{Call: Call{Import: iface + "#get", Subject: key}, Asked: trace.Asked{Key: key}}
		err = inv.exchange(ctx, e, func() (err error) {
			value, e.Outcome, err = inv.secret(ctx, key)
			e.Answered.Body.Secret = key
			return err
		})
		if err != nil {
			return nil, err
		}
		if e.Outcome != "ok" {
			return wasm.Err(wasm.Variant{Case: e.Outcome}), nil
		}
		if inv.player != nil {
			value = []byte(trace.Mark(key))
			inv.hand(key, value)
		}
		return wasm.OK(wasm.Some(value)), nil
	}
}

// secret reads a secret and says "ok" or the case of secrets-error; an error ends the guest.
func (inv *invocation) secret(ctx context.Context, key string) ([]byte, string, error) {
	if !mayUse(inv.request.Grants.Secrets, key) || inv.host.deps.Secrets == nil {
		return nil, "denied", nil
	}
	value, err := secrets.Find(ctx, inv.host.deps.Secrets, inv.tenant, inv.request.Pack, key)
	if err == nil {
		inv.hand(key, value)
		return value, "ok", nil
	}
	if ctx.Err() != nil {
		return nil, "", fault.Wrap("secret", ctx.Err())
	}
	switch fault.KindOf(err) {
	case fault.NotFound:
		return nil, "not-found", nil
	case fault.Invalid:
		return nil, "invalid-key", nil
	case fault.Denied:
		return nil, "denied", nil
	}
	inv.log().WarnContext(ctx, "secret lookup failed", "key", key, "error", err)
	return nil, "internal", nil
}

// secretPut is secrets-store.put: it has no result, so a refusal ends the guest.
func secretPut(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	inv, err := invocationOf(call)
	if err != nil {
		return nil, err
	}
	key, err := argument[string](args, 0)
	if err != nil {
		return nil, err
	}
	value, err := argument[[]byte](args, 1)
	if err != nil {
		return nil, err
	}
	e := &trace.Exchange{Call: Call{Import: interfaces.Secrets11 + "#put", Subject: key}, Asked: trace.Asked{Key: key, Body: trace.Body{Secret: key}}}
	return nil, inv.exchange(ctx, e, func() error {
		inv.hand(key, value)
		err := inv.putSecret(ctx, key, value)
		e.Effect = err == nil
		return err
	})
}

func (inv *invocation) putSecret(ctx context.Context, key string, value []byte) error {
	if !mayUse(inv.request.Grants.WriteSecrets, key) || inv.host.deps.Secrets == nil {
		return fault.Newf(fault.Denied, "secret", "no grant lets this component write %q", key)
	}
	return inv.host.deps.Secrets.Put(ctx, inv.tenant, secrets.Name{Team: inv.tenant.Team, Pack: inv.request.Pack, Key: key}, value)
}
