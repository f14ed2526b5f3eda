package host

import (
	"context"
	"log/slog"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
)

// What of a guest's log line is kept.
const (
	maxLogFields = 64
	maxLogValue  = 2048
)

// telemetryLog is logger-api.log. Tenant, flow and node are the host's own knowledge, whatever
// the span claims; the field "message" (or "msg") is the line, "level" its level.
func telemetryLog(ctx context.Context, call *wasm.Call, args []any) (any, error) {
	inv, err := invocationOf(call)
	if err != nil {
		return nil, err
	}
	span, err := argument[wasm.Record](args, 0)
	if err != nil {
		return nil, err
	}
	list, err := argument[[]any](args, 1)
	if err != nil {
		return nil, err
	}
	start := inv.host.deps.Now()
	c := Call{Import: interfaces.Telemetry + "#log", Outcome: "ok"}
	who, err := argument[wasm.Option](args, 2)
	if err != nil {
		return nil, err
	}
	if err := inv.checkContext(who); err != nil {
		c.Outcome = "denied"
		inv.record(c, start)
		return hostError("denied", err.Error()), nil
	}
	message, level, attrs, err := inv.logFields(list)
	if err != nil {
		return nil, err
	}
	if inv.player != nil {
		return ack(), nil
	}
	provider, _ := span.Get("provider").(string)
	inv.log().LogAttrs(ctx, level, message, slog.String("provider", inv.shorten(provider)), slog.Attr{Key: "fields", Value: slog.GroupValue(attrs...)})
	inv.record(c, start)
	return ack(), nil
}

func (inv *invocation) logFields(list []any) (string, slog.Level, []slog.Attr, error) {
	message, level := "component log", slog.LevelInfo
	var attrs []slog.Attr
	for _, item := range list {
		pair, _ := item.([]any)
		if len(pair) != 2 {
			return "", 0, nil, fault.New(fault.Internal, "telemetry", "a field is no pair")
		}
		key, _ := pair[0].(string)
		value, _ := pair[1].(string)
		switch value = inv.shorten(value); strings.ToLower(key) {
		case "message", "msg":
			message = value
		case "level":
			level = levelOf(value)
		default:
			if len(attrs) < maxLogFields {
				attrs = append(attrs, slog.String(inv.shorten(key), value))
			}
		}
	}
	return message, level, attrs, nil
}

// shorten redacts before it cuts, so that no part of a secret is left over.
func (inv *invocation) shorten(s string) string {
	s = inv.redact(s)
	if len(s) > maxLogValue {
		s = strings.ToValidUTF8(s[:maxLogValue], "") + "…"
	}
	return s
}

func levelOf(s string) slog.Level {
	switch strings.ToLower(s) {
	case "trace", "debug":
		return slog.LevelDebug
	case "warn", "warning":
		return slog.LevelWarn
	case "error", "fatal":
		return slog.LevelError
	}
	return slog.LevelInfo
}
