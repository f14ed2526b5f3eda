package host

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
)

// stateRead is state-store.read: the JSON text under a key.
func stateRead(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	return useState(ctx, call, "read", args, nil, func(s State, key string) ([]byte, error) { return s.Read(ctx, key) })
}

// stateWrite is state-store.write: bytes that are JSON are kept as they are, others as a text.
func stateWrite(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	value, err := argument[[]byte](args, 1)
	if err != nil {
		return nil, err
	}
	return useState(ctx, call, "write", args, value, func(s State, key string) ([]byte, error) {
		return nil, s.Write(ctx, key, asJSON(value))
	})
}

// stateDelete is state-store.delete; deleting what is not there is no failure.
func stateDelete(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	return useState(ctx, call, "delete", args, nil, func(s State, key string) ([]byte, error) {
		err := s.Delete(ctx, key)
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return nil, err
	})
}

// useState does what the three functions share: who asks, may they, what happened. The key is
// the first argument, the tenant context the last; written is the value given, if any.
func useState(ctx context.Context, call *wasm.Call, name string, args []any, written []byte, do func(State, string) ([]byte, error)) (any, error) {
	inv, err := invocationOf(call)
	if err != nil {
		return nil, err
	}
	key, err := argument[string](args, 0)
	if err != nil {
		return nil, err
	}
	who, err := argument[wasm.Option](args, len(args)-1)
	if err != nil {
		return nil, err
	}
	foreign := inv.checkContext(who)
	var value []byte
	e := &trace.Exchange{Call: Call{Import: interfaces.State + "#" + name, Subject: key, Outcome: "ok"}, Asked: trace.Asked{Key: key, Foreign: foreign != nil}}
	if inv.traced() {
		e.Asked.Body = inv.body(written)
	}
	err = inv.exchange(ctx, e, func() error {
		err := foreign
		if err == nil {
			value, err = inv.reachState(key, do)
		}
		if err != nil && ctx.Err() != nil {
			return fault.Wrap("state", ctx.Err())
		}
		if err != nil {
			e.Outcome, e.Answered.Message = stateCode(err), inv.stateMessage(ctx, key, err)
		} else if inv.traced() {
			e.Answered.Body = inv.body(value)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case e.Outcome != "ok":
		return hostError(e.Outcome, e.Answered.Message), nil
	case name != "read":
		return ack(), nil
	case inv.player != nil:
		value = []byte(e.Answered.Body.Text)
	}
	return wasm.OK(value), nil
}

func (inv *invocation) reachState(key string, do func(State, string) ([]byte, error)) ([]byte, error) {
	switch {
	case !inv.request.Grants.State:
		return nil, fault.New(fault.Denied, "state", "this component was not granted state")
	case inv.request.State == nil:
		return nil, fault.New(fault.Unavailable, "state", "there is no state here")
	case key == "" || len(key) > 512:
		return nil, fault.New(fault.Invalid, "state", "a key has 1 to 512 bytes")
	}
	return do(inv.request.State, key)
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
