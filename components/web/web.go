package web

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"greentic.dev/sdk/go/greentic"
)

// Do sends a request and reads the whole answer, whatever its status. The error is a *greentic.Error.
type Do func(*greentic.Request) (*greentic.Response, error)

// RetryAfter is the pause in milliseconds a response asks for, in seconds or as a date, which is read
// against the response's own Date. It is 0 when nothing is said, and an hour at most.
func RetryAfter(r *greentic.Response) int {
	text := strings.TrimSpace(r.Header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return bounded(min(seconds, 3600) * 1000)
	}
	at, err := time.Parse(time.RFC1123, text)
	now, errNow := time.Parse(time.RFC1123, r.Header.Get("Date"))
	if err != nil || errNow != nil {
		return 0
	}
	return bounded(float64(at.Sub(now).Milliseconds()))
}

func bounded(ms float64) int { return int(min(max(ms, 0), 3_600_000)) }

// Join is the address of ref under base; a ref that is a whole URL stands alone. The error is an
// *greentic.Error with the code invalid_url.
func Join(base, ref string) (*url.URL, error) {
	if !strings.Contains(ref, "://") && base != "" {
		base = strings.TrimRight(base, "/")
		if ref = strings.TrimLeft(ref, "/"); ref != "" && ref[0] != '?' {
			base += "/"
		}
		ref = base + ref
	}
	u, err := url.Parse(ref)
	switch {
	case err != nil:
		return nil, greentic.Fail("invalid_url", "the url cannot be read: "+strings.TrimPrefix(err.Error(), "parse "))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, greentic.Fail("invalid_url", "the url "+strconv.Quote(ref)+" does not begin with https://HOST: write it whole, or set base_url")
	}
	return u, nil
}

// Auth says how a secret becomes a credential of a request.
type Auth struct {
	Type   string `json:"type" enum:"none,bearer,basic,api_key" default:"none" doc:"how the secret is sent"`
	Secret string `json:"secret,omitempty" enum:"HTTP_TOKEN,HTTP_PASSWORD,HTTP_API_KEY" doc:"which secret to send, when not the one of the type"`
	User   string `json:"user,omitempty" doc:"the user name, for basic"`
	Header string `json:"header" default:"X-Api-Key" doc:"the header, for api_key"`
}

// Key is the name of the secret to send; empty for none.
func (a Auth) Key() string {
	switch {
	case a.Type == "" || a.Type == "none":
		return ""
	case a.Secret != "":
		return a.Secret
	case a.Type == "basic":
		return "HTTP_PASSWORD"
	case a.Type == "api_key":
		return "HTTP_API_KEY"
	}
	return "HTTP_TOKEN"
}

// Field is the header field that carries secret.
func (a Auth) Field(secret string) (name, value string) {
	switch {
	case a.Type == "basic":
		return "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(a.User+":"+secret))
	case a.Type == "api_key" && a.Header != "":
		return a.Header, secret
	case a.Type == "api_key":
		return "X-Api-Key", secret
	}
	return "Authorization", "Bearer " + secret
}
