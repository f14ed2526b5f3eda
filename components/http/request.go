package main

import (
	"net/url"
	"sort"
	"strconv"
	"strings"

	"greentic.dev/components/web"
	"greentic.dev/sdk/go/greentic"
)

type config struct {
	BaseURL   string            `json:"base_url,omitempty" doc:"what a url without https:// is under"`
	Headers   map[string]string `json:"headers,omitempty" doc:"headers of every request"`
	Auth      web.Auth          `json:"auth,omitempty" doc:"credentials, from the secrets"`
	TimeoutMS int               `json:"timeout_ms" default:"25000" min:"1" max:"300000" doc:"milliseconds to wait for the answer"`
	Errors    string            `json:"errors" enum:"data,fail" default:"data" doc:"a status that is not accepted: data with ok false, or a failure of the node"`
}

type input struct {
	Method    string            `json:"method,omitempty" doc:"GET, or POST with a body or form, when empty"`
	URL       string            `json:"url,omitempty" doc:"whole, or under base_url"`
	Query     map[string]any    `json:"query,omitempty" doc:"added to the url; a list repeats its name, null leaves it out"`
	Headers   map[string]string `json:"headers,omitempty"`
	Body      any               `json:"body,omitempty" doc:"a text is sent as it is, anything else as JSON"`
	Form      map[string]string `json:"form,omitempty" doc:"sent url-encoded, instead of body"`
	TimeoutMS int               `json:"timeout_ms,omitempty" max:"300000"`
	Redirects string            `json:"redirects" enum:"follow,keep" default:"follow" doc:"keep: a redirect is the answer"`
	Accept    []string          `json:"accept,omitempty" doc:"statuses that are ok, such as 200 or 4xx; 2xx when empty"`
	Map       any               `json:"map,omitempty" doc:"what becomes result: a text that begins with / is a JSON pointer into ok, status, headers and body"`
}

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"

// build makes the request, without credentials.
func build(c config, in input) (*greentic.Request, error) {
	body, kind, err := content(in)
	if err != nil {
		return nil, err
	}
	method := strings.ToUpper(in.Method)
	switch {
	case method == "" && kind != "":
		method = "POST"
	case method == "":
		method = "GET"
	case !strings.Contains(" "+strings.ReplaceAll(methods, ",", "")+" ", " "+method+" ") || method == "OR":
		return nil, greentic.Fail("invalid_method", "the method "+strconv.Quote(in.Method)+" is not "+methods)
	}
	u, err := web.Join(c.BaseURL, in.URL)
	if err != nil {
		return nil, err
	}
	if u.RawQuery, err = query(u.Query(), in.Query); err != nil {
		return nil, err
	}
	q := &greentic.Request{Method: method, URL: u.String(), Body: body, KeepRedirects: in.Redirects == "keep", TimeoutMS: c.TimeoutMS}
	if in.TimeoutMS > 0 {
		q.TimeoutMS = in.TimeoutMS
	}
	q.Header.Set("Accept", "application/json, */*;q=0.5")
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	for _, headers := range []map[string]string{c.Headers, in.Headers} {
		for _, name := range names(headers) {
			if strings.ContainsAny(name+headers[name], "\r\n\x00") || name == "" {
				return nil, greentic.Fail("invalid_header", "the header "+strconv.Quote(name)+" has no name or holds a line break")
			}
			q.Header.Set(name, headers[name])
		}
	}
	return q, nil
}

// content is the body and its type; no type means no body.
func content(in input) ([]byte, string, error) {
	if in.Form != nil {
		if in.Body != nil {
			return nil, "", greentic.Fail(greentic.CodeInvalidInput, "give body or form, not both")
		}
		form := url.Values{}
		for name, value := range in.Form {
			form.Set(name, value)
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	}
	switch body := in.Body.(type) {
	case nil:
		return nil, "", nil
	case string:
		return []byte(body), "text/plain; charset=utf-8", nil
	}
	text, err := greentic.EncodeJSON(in.Body)
	if err != nil {
		return nil, "", greentic.Fail(greentic.CodeInvalidInput, "$.body: "+err.Error())
	}
	return text, "application/json", nil
}

func query(have url.Values, more map[string]any) (string, error) {
	for name, value := range more {
		items, ok := value.([]any)
		if !ok {
			items = []any{value}
		}
		for _, item := range items {
			text := ""
			switch item := item.(type) {
			case nil:
				continue
			case string:
				text = item
			case map[string]any, []any:
				return "", greentic.Fail(greentic.CodeInvalidInput, "$.query."+name+": want a text, number, boolean or a list of them")
			default:
				plain, err := greentic.EncodeJSON(item)
				if err != nil {
					return "", greentic.Fail(greentic.CodeInvalidInput, "$.query."+name+": "+err.Error())
				}
				text = string(plain)
			}
			have.Add(name, text)
		}
	}
	return have.Encode(), nil
}

func names(m map[string]string) []string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}
