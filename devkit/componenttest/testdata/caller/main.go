// Command caller is a component that asks its host for everything there is.
package main

import (
	"time"

	"greentic.dev/sdk/go/greentic"
)

type askIn struct {
	Key   string `json:"key"`
	URL   string `json:"url"`
	Twice bool   `json:"twice,omitempty"`
}

type askOut struct {
	Status int   `json:"status"`
	Sum    int   `json:"sum"`
	At     int64 `json:"at"`
}

var _ = greentic.Component(greentic.Info{ID: "test.caller", Version: "0.1.0", Secrets: []greentic.Secret{{Key: "TOKEN"}}}, greentic.Op("ask", ask))

func main() {}

func ask(ctx *greentic.Context, in askIn) (askOut, error) {
	out := askOut{At: time.Now().Unix()}
	token, err := ctx.Secret("TOKEN")
	if err != nil {
		return out, err
	}
	var n int
	if _, err := ctx.State().Get(in.Key, &n); err != nil {
		return out, err
	}
	body, err := greentic.EncodeJSON(map[string]any{"n": n})
	if err != nil {
		return out, err
	}
	request := &greentic.Request{Method: "POST", URL: in.URL, Body: body, TimeoutMS: 1000,
		Header: greentic.Header{{"content-type", "application/json"}, {"authorization", "Bearer " + token}}}
	answer, err := ctx.HTTP().Do(request)
	if err == nil && in.Twice {
		answer, err = ctx.HTTP().Do(request)
	}
	if err != nil {
		return out, err
	}
	if err := answer.JSON(&out); err != nil && answer.Status == 201 {
		ctx.Log("odd answer", "error", err, "level", "warn")
	}
	out.Status = answer.Status
	ctx.Log("asked", "url", in.URL, "status", answer.Status)
	return out, ctx.State().Set(in.Key, n+1)
}
