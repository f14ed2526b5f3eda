package chat

import (
	"errors"
	"strings"
	"unicode/utf8"

	"greentic.dev/components/web"
	"greentic.dev/sdk/go/greentic"
)

// The codes of errors. Those marked * are retryable; those marked + make the client ask the next model.
const (
	CodeUnauthenticated = "unauthenticated"   // the key is missing or wrong (401)
	CodeDenied          = "permission_denied" // the key may not do that (403)
	CodeInvalidRequest  = "invalid_request"   // the server does not take the request (400, 413, 422)
	CodeTooLong         = "context_too_long"  // + the conversation does not fit the model
	CodeNoModel         = "model_not_found"   // + (404)
	CodeRateLimited     = "rate_limited"      // *+ too many requests (429), with the pause that Retry-After asks for
	CodeQuota           = "quota_exhausted"   // + the account has no credit left (429, 402)
	CodeUnavailable     = "unavailable"       // *+ the server fails or is overloaded (408, 5xx)
	CodeUnreachable     = "unreachable"       // *+ no answer came at all
	CodeMalformed       = "malformed_answer"  // *+ the answer is not what the protocol says
	CodeTruncated       = "truncated"         // *+ the stream ended early
	CodeContentFilter   = "content_filter"    // the provider's filter or the model refused
	CodeSchema          = "schema_mismatch"   // the answer does not fit the schema, also after the repairs
	CodeLength          = "answer_too_long"   // a structured answer was cut at max_tokens
)

// elsewhere says whether another model may do better.
func elsewhere(code string) bool {
	switch code {
	case CodeTooLong, CodeNoModel, CodeRateLimited, CodeQuota, CodeUnavailable, CodeUnreachable, CodeMalformed, CodeTruncated:
		return true
	}
	return false
}

func asError(err error) *greentic.Error {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e
	}
	return greentic.Fail(greentic.CodeInternal, err.Error())
}

// named adds the models to the details of an error.
func named(e *greentic.Error, model string, tried []Attempt) *greentic.Error {
	c := *e
	details, _ := e.Details.(map[string]any)
	all := map[string]any{"model": model}
	for k, v := range details {
		all[k] = v
	}
	if len(tried) > 0 {
		all["tried"] = tried
	}
	c.Details = all
	return &c
}

// unsent is an error of the host's client.
func unsent(err error) error {
	e := asError(err)
	if e.Code != "http_unavailable" {
		return e
	}
	return greentic.Retry(CodeUnreachable, e.Message, e.BackoffMS)
}

// refused is an answer that is no 2xx as an error.
func refused(p protocol, r *greentic.Response) error {
	var doc any
	said, message := "", ""
	if greentic.DecodeJSON(r.Body, &doc) == nil {
		said, message = p.fault(doc)
	}
	code := codeOf(r.Status, said, message)
	text := "the server answered " + itoa(r.Status)
	if message != "" {
		text += ": " + short(message)
	}
	e := greentic.Fail(code, text)
	if e.Retryable = retryable(code); e.Retryable {
		e.BackoffMS = web.RetryAfter(r)
	}
	e.Details = map[string]any{"status": r.Status, "server_code": said, "request_id": requestID(r)}
	return e
}

// told is an error that came inside an answer or a stream.
func told(said, message string) error {
	code := codeOf(0, said, message)
	e := greentic.Fail(code, "the server broke off: "+short(message))
	e.Retryable = retryable(code)
	e.Details = map[string]any{"server_code": said}
	return e
}

func retryable(code string) bool {
	return code == CodeRateLimited || code == CodeUnavailable || code == CodeMalformed || code == CodeTruncated
}

// codeOf reads a status and what the server calls the error; its word beats the status.
func codeOf(status int, said, message string) string {
	switch said {
	case "insufficient_quota", "billing_error", "billing_hard_limit_reached":
		return CodeQuota
	case "context_length_exceeded", "request_too_large":
		return CodeTooLong
	case "content_filter", "content_policy_violation":
		return CodeContentFilter
	case "model_not_found":
		return CodeNoModel
	case "rate_limit_exceeded", "rate_limit_error":
		return CodeRateLimited
	case "overloaded_error", "api_error", "server_error", "timeout_error":
		return CodeUnavailable
	case "invalid_api_key", "authentication_error":
		return CodeUnauthenticated
	}
	switch {
	case status == 400 && (strings.Contains(message, "prompt is too long") || strings.Contains(message, "maximum context length")):
		return CodeTooLong
	case status == 401:
		return CodeUnauthenticated
	case status == 402:
		return CodeQuota
	case status == 403:
		return CodeDenied
	case status == 404:
		return CodeNoModel
	case status == 413:
		return CodeTooLong
	case status == 429:
		return CodeRateLimited
	case status == 408, status == 409, status == 425, status >= 500, status == 0:
		return CodeUnavailable
	}
	return CodeInvalidRequest
}

func requestID(r *greentic.Response) string {
	if id := r.Header.Get("X-Request-Id"); id != "" {
		return id
	}
	return r.Header.Get("Request-Id")
}

func malformed(why string, body []byte) error {
	e := greentic.Retry(CodeMalformed, "the answer cannot be read: "+why, 0)
	e.Details = map[string]any{"body": short(strings.ToValidUTF8(string(body), "\uFFFD"))}
	return e
}

func truncated(done bool) error {
	if done {
		return greentic.Retry(CodeTruncated, "the stream ended without a reason to finish", 0)
	}
	return greentic.Retry(CodeTruncated, "the stream was cut off before the answer was complete", 0)
}

// short is the beginning of a text.
func short(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + " …"
}
