package main

import (
	"greentic.dev/components/web"
	"greentic.dev/sdk/go/greentic"
)

var component = greentic.Component(greentic.Info{
	ID: "greentic.http", Version: "0.1.0", Name: "HTTP request",
	Summary: "Sends one HTTP request and picks from the answer what the flow wants",
	Config:  config{TimeoutMS: 25000, Errors: "data", Auth: web.Auth{Type: "none", Header: "X-Api-Key"}},
	Secrets: []greentic.Secret{
		{Key: "HTTP_TOKEN", Doc: "the token for auth type bearer", Optional: true},
		{Key: "HTTP_PASSWORD", Doc: "the password for auth type basic", Optional: true},
		{Key: "HTTP_API_KEY", Doc: "the key for auth type api_key", Optional: true},
	},
},
	greentic.Op("request", request).Doc("sends a request; ok says whether the status was an accepted one"),
)

func main() {}

func request(ctx *greentic.Context, in input) (output, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return output{}, err
	}
	q, err := build(c, in)
	if err != nil {
		return output{}, err
	}
	if key := c.Auth.Key(); key != "" {
		secret, err := ctx.Secret(key)
		if err != nil {
			return output{}, err
		}
		q.Header.Set(c.Auth.Field(secret))
	}
	r, err := ctx.HTTP().Do(q)
	if err != nil {
		return output{}, err
	}
	return read(c, in, r)
}
