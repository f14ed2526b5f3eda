package host

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/flow"
	"greentic.dev/wasm"
)

// codeFailed is the code of a failure that came without one.
const codeFailed = "COMPONENT_INVOCATION_FAILED"

// read fills resp from what the entry function returned (formats digest 2.6).
func (c *Component) read(resp *Response, value any) error {
	switch c.abi {
	case ABISchemaCore:
		b, _ := value.([]byte)
		return resp.readJSON(b)
	case ABINode05, ABINode04:
		v, _ := value.(wasm.Variant)
		return resp.readOlder(v)
	case ABIRuntime:
		b, _ := value.([]byte)
		return resp.readCBOR(b)
	case ABIRun:
		rec, _ := value.(wasm.Record)
		b, _ := rec.Get("output").([]byte)
		return resp.readCBOR(b)
	}
	result, _ := value.(wasm.Result)
	rec, _ := result.Value.(wasm.Record)
	if result.IsErr {
		resp.setNodeError(rec)
		return nil
	}
	b, _ := rec.Get("output-cbor").([]byte)
	if err := resp.readCBOR(b); err != nil {
		return err
	}
	if ok, is := rec.Get("ok").(bool); is && !ok && resp.Fail == nil {
		resp.Fail = &flow.NodeFail{Code: codeFailed, Message: text(resp.Output)}
	}
	return nil
}

// readJSON takes JSON text; nothing is null, and a text that is no JSON is itself.
func (resp *Response) readJSON(b []byte) error {
	if len(b) > 0 && !utf8.Valid(b) {
		return fault.New(fault.Invalid, "answer", "it is neither JSON nor text")
	}
	resp.setOutput(fromText(string(b)))
	return nil
}

// fromText is what a JSON text says, nothing for no text, and the text itself when it is no JSON.
func fromText(s string) any {
	if s == "" {
		return nil
	}
	if v, err := cbor.FromJSON([]byte(s)); err == nil {
		return v
	}
	return s
}

func (resp *Response) readCBOR(b []byte) error {
	if len(b) == 0 {
		resp.setOutput(nil)
		return nil
	}
	out, err := cbor.Unmarshal(b)
	if err != nil {
		return fault.Wrap("answer", err)
	}
	resp.setOutput(out)
	return nil
}

// setOutput takes a decoded output. An object with ok == false and an object as error is a
// failure; with a text as error it stays data.
func (resp *Response) setOutput(out any) {
	resp.Output = out
	object, _ := out.(map[string]any)
	detail, isObject := object["error"].(map[string]any)
	if ok, is := object["ok"].(bool); !is || ok || !isObject {
		return
	}
	fail := &flow.NodeFail{Code: codeFailed, Message: text(detail["message"]), Details: detail["details"]}
	if code := text(detail["code"]); code != "" {
		fail.Code = code
	}
	fail.Retryable, _ = detail["retryable"].(bool)
	if ms, ok := detail["backoff_ms"].(int64); ok {
		resp.Backoff = millis(uint64(max(0, ms)))
	}
	resp.Fail = fail
}

// setNodeError takes a node-error record and leaves its JSON form as output.
func (resp *Response) setNodeError(rec wasm.Record) {
	fail := &flow.NodeFail{Code: text(rec.Get("code")), Message: text(rec.Get("message"))}
	fail.Retryable, _ = rec.Get("retryable").(bool)
	object := map[string]any{"code": fail.Code, "message": fail.Message, "retryable": fail.Retryable}
	if o, _ := rec.Get("backoff-ms").(wasm.Option); o.Some {
		ms, _ := o.Value.(uint64)
		resp.Backoff = millis(ms)
		object["backoff_ms"] = ms
	}
	if o, _ := rec.Get("details").(wasm.Option); o.Some {
		switch d := o.Value.(type) {
		case []byte:
			if details, err := cbor.Unmarshal(d); err == nil {
				fail.Details = details
			}
		case string:
			fail.Details = fromText(d)
		}
		object["details"] = fail.Details
	}
	resp.Fail = fail
	resp.Output = map[string]any{"ok": false, "error": object}
}

// maxBackoff bounds what a component may ask for.
const maxBackoff = 24 * time.Hour

func millis(ms uint64) time.Duration {
	return time.Duration(min(ms, uint64(maxBackoff/time.Millisecond))) * time.Millisecond
}

// text is v if it is a string, nothing for nil, and its JSON form otherwise.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, err := encodeJSON(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// quote shortens s to a line that fits into an error.
func quote(s string) string {
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return strconv.Quote(s)
}
