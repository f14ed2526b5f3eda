package host

import (
	"context"
	"math"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
)

// tenantFields is a tenant context under every field name that the ecosystem's records use for
// it (formats digest 2.4, 2.5, 3.1). A nil value is an absent one.
func tenantFields(ctx context.Context, t greentic.TenantCtx, r Request) map[string]any {
	f := map[string]any{
		"tenant": string(t.Tenant), "tenant-id": string(t.Tenant), "env": string(t.Env), "env-id": string(t.Env),
		"team": optional(t.Team), "team-id": optional(t.Team), "user": optional(t.User), "user-id": optional(t.User),
		"session-id": optional(t.Session), "flow-id": optional(r.Flow), "node-id": optional(r.Node), "provider-id": optional(r.Component),
		"trace-id": optional(t.TraceID), "correlation-id": optional(t.CorrelationID), "i18n-id": optional(t.Locale),
		"idempotency-key": optional(t.IdempotencyKey), "attempt": uint64(r.Attempt),
	}
	var at int64 // 0: none
	if deadline, ok := ctx.Deadline(); ok && r.Replay == nil {
		at = max(1, deadline.UnixMilli())
	} else if r.Replay != nil {
		at = r.Replay.Deadline
	}
	if at > 0 {
		f["deadline-ms"] = uint64(at)
		f["deadline-unix-ms"] = f["deadline-ms"]
	}
	return f
}

func optional[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// shape makes a value of type t out of plain values, by field name: string, bool, uint64,
// []byte, map[string]any for records, nil for what is absent. Whatever the type wants and the
// values do not have is empty: none, zero, no elements, the first case; a mandatory deadline
// is the end of time. The error is fault.Unsupported: a type that cannot be filled this way.
func shape(t *wasm.Type, v any) (any, error) {
	switch t.Kind {
	case binary.Record:
		fields, _ := v.(map[string]any)
		rec := make(wasm.Record, len(t.Fields))
		for i, field := range t.Fields {
			value := fields[field.Name]
			if value == nil && (field.Name == "deadline-ms" || field.Name == "deadline-unix-ms") {
				value = endOfTime(field.Type.Kind)
			}
			shaped, err := shape(field.Type, value)
			if err != nil {
				return nil, fault.Wrap(field.Name, err)
			}
			rec[i] = wasm.Named{Name: field.Name, Value: shaped}
		}
		return rec, nil
	case binary.Option:
		if v == nil {
			return wasm.Option{}, nil
		}
		inner, err := shape(t.Elem, v)
		return wasm.Some(inner), err
	case binary.String:
		s, _ := v.(string)
		return s, nil
	case binary.Bool:
		b, _ := v.(bool)
		return b, nil
	case binary.List:
		if t.Elem.Kind == binary.U8 {
			b, _ := v.([]byte)
			return b, nil
		}
		return []any{}, nil
	case binary.Enum:
		return wasm.Variant{Case: t.Names[0]}, nil
	}
	if n, ok := number(t.Kind, v); ok {
		return n, nil
	}
	return nil, fault.New(fault.Unsupported, "", "the component's envelope has a field that this host cannot fill")
}

// endOfTime is a mandatory deadline when there is none; nil for other types.
func endOfTime(k binary.Kind) any {
	switch k {
	case binary.U64:
		return uint64(math.MaxUint64)
	case binary.S64:
		return uint64(math.MaxInt64)
	}
	return nil
}

func number(k binary.Kind, v any) (any, bool) {
	n, _ := v.(uint64)
	switch k {
	case binary.U8:
		return uint8(n), true
	case binary.U16:
		return uint16(n), true
	case binary.U32:
		return uint32(n), true
	case binary.U64:
		return n, true
	case binary.S8:
		return int8(n), true
	case binary.S16:
		return int16(n), true
	case binary.S32:
		return int32(n), true
	case binary.S64:
		return int64(n), true
	case binary.F32:
		return float32(n), true
	case binary.F64:
		return float64(n), true
	}
	return nil, false
}

func isString(t *wasm.Type) bool { return t != nil && t.Kind == binary.String }
func isRecord(t *wasm.Type) bool { return t != nil && t.Kind == binary.Record }
func isBytes(t *wasm.Type) bool {
	return t != nil && t.Kind == binary.List && t.Elem.Kind == binary.U8
}

// isResultOf says whether t is a result of two records, whatever their fields.
func isResultOf(t *wasm.Type) bool {
	return t.Kind == binary.Result && isRecord(t.Elem) && isRecord(t.Err)
}
