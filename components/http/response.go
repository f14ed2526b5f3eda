package main

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"greentic.dev/components/web"
	"greentic.dev/sdk/go/greentic"
)

type output struct {
	OK       bool              `json:"ok"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers" doc:"by lower-case name"`
	Body     any               `json:"body" doc:"JSON as a value, other text as a text, bytes in base64"`
	Encoding string            `json:"encoding,omitempty" doc:"base64 when body is that"`
	Result   any               `json:"result,omitempty" doc:"what map picked"`
	Error    string            `json:"error,omitempty" doc:"why it is not ok"`
}

// read makes the output of an answer.
func read(c config, in input, r *greentic.Response) (output, error) {
	out := output{Status: r.Status, Headers: map[string]string{}}
	for _, f := range r.Header {
		name := strings.ToLower(f[0])
		if had, ok := out.Headers[name]; ok {
			out.Headers[name] = had + ", " + f[1]
		} else {
			out.Headers[name] = f[1]
		}
	}
	malformed := out.body(r.Body)
	ok, err := accepted(in.Accept, r.Status)
	if err != nil {
		return output{}, err
	}
	out.OK = ok && malformed == nil
	if !ok {
		out.Error = "the server answered " + strconv.Itoa(r.Status)
		if c.Errors == "fail" {
			return output{}, failed(r)
		}
	} else if malformed != nil {
		out.Error = "the body is no JSON, though content-type says so: " + malformed.Error()
	}
	if in.Map != nil {
		out.Result = pick(in.Map, map[string]any{"ok": out.OK, "status": int64(out.Status), "headers": headersOf(out.Headers), "body": out.Body})
	}
	return out, nil
}

// failed is an answer as a failure of the node.
func failed(r *greentic.Response) error {
	e := greentic.Fail("http_"+strconv.Itoa(r.Status), "the server answered "+strconv.Itoa(r.Status))
	e.Retryable = r.Status == 408 || r.Status == 425 || r.Status == 429 || r.Status >= 500
	e.BackoffMS = web.RetryAfter(r)
	return e
}

func headersOf(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// body reads a body by its content-type; one that does not say what it is may be JSON. The error is
// what is wrong with a body that says it is.
func (out *output) body(raw []byte) error {
	kind, _, _ := strings.Cut(out.Headers["content-type"], ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	declared := kind == "application/json" || strings.HasSuffix(kind, "+json")
	if len(raw) == 0 {
		return nil
	}
	if declared || kind == "" {
		var v any
		err := greentic.DecodeJSON(raw, &v)
		if err == nil {
			out.Body = v
			return nil
		}
		if declared {
			out.Body = strings.ToValidUTF8(string(raw), "\uFFFD")
			return err
		}
	}
	if !utf8.Valid(raw) {
		out.Body, out.Encoding = base64.StdEncoding.EncodeToString(raw), "base64"
		return nil
	}
	out.Body = string(raw)
	return nil
}

// accepted says whether a status is one of the list: numbers, or a digit and xx.
func accepted(list []string, status int) (bool, error) {
	if len(list) == 0 {
		return status >= 200 && status < 300, nil
	}
	text, ok := strconv.Itoa(status), false
	for _, item := range list {
		item = strings.ToLower(item)
		n, err := strconv.Atoi(strings.Replace(item, "xx", "00", 1))
		if err != nil || len(item) != 3 || n < 100 || n > 599 {
			return false, greentic.Fail(greentic.CodeInvalidInput, "$.accept: "+strconv.Quote(item)+" is no status such as 200, and no class such as 2xx")
		}
		ok = ok || item == text || item[1:] == "xx" && item[0] == text[0]
	}
	return ok, nil
}

// pick fills a mapping: texts that begin with / are JSON pointers into from, null where they lead
// nowhere.
func pick(m, from any) any {
	switch m := m.(type) {
	case string:
		if strings.HasPrefix(m, "/") {
			return at(from, m)
		}
	case map[string]any:
		out := make(map[string]any, len(m))
		for key, item := range m {
			out[key] = pick(item, from)
		}
		return out
	case []any:
		out := make([]any, len(m))
		for i, item := range m {
			out[i] = pick(item, from)
		}
		return out
	}
	return m
}

// at follows a JSON pointer (RFC 6901).
func at(v any, pointer string) any {
	for _, key := range strings.Split(pointer, "/")[1:] {
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
		switch here := v.(type) {
		case map[string]any:
			v = here[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(here) {
				return nil
			}
			v = here[i]
		default:
			return nil
		}
	}
	return v
}
