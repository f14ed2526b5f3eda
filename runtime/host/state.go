package host

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
)

// stateRead is state-store.read: the JSON text under a key.
func stateRead(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	return useState(ctx, call, "read", args, 1, func(s State, key string) (any, error) {
		value, err := s.Read(ctx, key)
		return wasm.OK(value), err
	})
}

// stateWrite is state-store.write: bytes that are JSON are kept as they are, others as a text.
func stateWrite(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	value, err := argument[[]byte](args, 1)
	if err != nil {
		return nil, err
	}
	return useState(ctx, call, "write", args, 2, func(s State, key string) (any, error) {
		return ack(), s.Write(ctx, key, asJSON(value))
	})
}

// stateDelete is state-store.delete; deleting what is not there is no failure.
func stateDelete(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	return useState(ctx, call, "delete", args, 1, func(s State, key string) (any, error) {
		err := s.Delete(ctx, key)
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return ack(), err
	})
}

// useState does what the three functions share: who asks, may they, what happened. The key is
// argument 0, the tenant context argument tenant.
func useState(ctx context.Context, call *wasm.Call, name string, args []any, tenant int, do func(State, string) (any, error)) (any, error) {
	inv, err := invocationOf(call)
	if err != nil {
		return nil, err
	}
	key, err := argument[string](args, 0)
	if err != nil {
		return nil, err
	}
	who, err := argument[wasm.Option](args, tenant)
	if err != nil {
		return nil, err
	}
	start := inv.host.deps.Now()
	err = inv.checkContext(who)
	var result any
	switch {
	case err != nil:
	case !inv.request.Grants.State:
		err = fault.New(fault.Denied, "state", "this component was not granted state")
	case inv.request.State == nil:
		err = fault.New(fault.Unavailable, "state", "there is no state here")
	case key == "" || len(key) > 512:
		err = fault.New(fault.Invalid, "state", "a key has 1 to 512 bytes")
	default:
		result, err = do(inv.request.State, key)
	}
	c := Call{Import: interfaces.State + "#" + name, Subject: key, Outcome: "ok"}
	if err != nil {
		if ctx.Err() != nil {
			return nil, fault.Wrap("state", ctx.Err())
		}
		c.Outcome = stateCode(err)
		result = hostError(c.Outcome, inv.stateMessage(ctx, key, err))
	}
	inv.record(c, start)
	return result, nil
}

// stateCode is the interface's word for a failure (formats digest 3.2).
func stateCode(err error) string {
	switch fault.KindOf(err) {
	case fault.Denied:
		return "denied"
	case fault.NotFound:
		return "not_found"
	case fault.Invalid:
		return "invalid-input"
	case fault.Unavailable, fault.Timeout, fault.Exhausted, fault.Conflict:
		return "unavailable"
	}
	return "internal"
}

// stateMessage tells the guest what concerns it; the rest goes to the log.
func (inv *invocation) stateMessage(ctx context.Context, key string, err error) string {
	switch fault.KindOf(err) {
	case fault.Denied, fault.Invalid:
		return err.Error()
	case fault.NotFound:
		return "no state under this key"
	}
	inv.log().WarnContext(ctx, "state failed", "key", key, "error", err)
	return "the state cannot be reached"
}

func asJSON(b []byte) []byte {
	if utf8.Valid(b) && json.Valid(b) {
		return b
	}
	text, err := encodeJSON(strings.ToValidUTF8(string(b), "\uFFFD"))
	if err != nil {
		return []byte("null")
	}
	return text
}
