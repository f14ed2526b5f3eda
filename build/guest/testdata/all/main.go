// Command all is a component that uses everything of the SDK, and misbehaves on request.
package main

import (
	"strings"
	"time"

	"greentic.dev/sdk/go/greentic"
)

type config struct {
	Greeting string `json:"greeting" doc:"the first word"`
}

type greetIn struct {
	Name string `json:"name" min:"1"`
}

type textOut struct {
	Text string `json:"text"`
}

var _ = greentic.Component(
	greentic.Info{ID: "acme.all", Version: "1.2.3", Config: config{Greeting: "Hello"}, Secrets: []greentic.Secret{{Key: "TOKEN"}}},
	greentic.Op("greet", greet),
	greentic.Op("count", count),
	greentic.Op("send", send),
	greentic.Op("secret", func(ctx *greentic.Context, key string) (string, error) { return ctx.Secret(key) }),
	greentic.Op("busy", func(*greentic.Context, any) (any, error) { return nil, greentic.Retry("busy", "later", 1500) }),
	greentic.Op("large", func(_ *greentic.Context, n int) (string, error) { return strings.Repeat("x", n), nil }),
	greentic.Op("echo", func(_ *greentic.Context, v any) (any, error) { return v, nil }),
	greentic.Op("index", func(_ *greentic.Context, list []int) (int, error) { return list[3], nil }),
	greentic.Op("divide", func(_ *greentic.Context, n int) (int, error) { return 1 / n, nil }),
	greentic.Op("nothing", func(*greentic.Context, any) (any, error) { var c *config; return c.Greeting, nil }),
	greentic.Op("throw", func(*greentic.Context, any) (any, error) { panic(greentic.Fail("thrown", "on purpose")) }),
	greentic.Op("channel", func(*greentic.Context, any) (any, error) { return map[string]any{"c": []any{make(chan int)}}, nil }),
	greentic.Op("cycle", func(*greentic.Context, any) (any, error) { m := map[string]any{}; m["m"] = m; return m, nil }),
	greentic.Op("hog", hog),
	greentic.Op("recurse", func(_ *greentic.Context, n int) (int, error) { return recurse(n), nil }),
	greentic.Op("spin", func(*greentic.Context, any) (any, error) {
		for {
			time.Now()
		}
	}),
	greentic.Op("park", func(*greentic.Context, any) (any, error) { select {} }),
)

func main() {}

func greet(ctx *greentic.Context, in greetIn) (textOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return textOut{}, err
	}
	return textOut{strings.ToUpper(c.Greeting + ", " + in.Name + "!")}, nil
}

func count(ctx *greentic.Context, _ any) (map[string]int, error) {
	var n int
	if _, err := ctx.State().Get("n", &n); err != nil {
		return nil, err
	}
	n++
	ctx.Log("counted", "n", n)
	return map[string]int{"n": n}, ctx.State().Set("n", n)
}

func send(ctx *greentic.Context, in struct {
	URL string `json:"url"`
}) (any, error) {
	token, err := ctx.Secret("TOKEN")
	if err != nil {
		return nil, err
	}
	var got any
	_, err = ctx.HTTP().PostJSON(in.URL, map[string]any{"token": token}, &got)
	return map[string]any{"got": got, "tenant": ctx.Tenant.ID, "locale": ctx.Tenant.Locale, "deadline": ctx.DeadlineMS, "cancelled": ctx.Cancelled()}, err
}

// sink keeps what is made reachable.
var sink [][]byte

func hog(*greentic.Context, any) (any, error) {
	for {
		sink = append(sink, make([]byte, 1<<20))
	}
}

func recurse(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + recurse(n-1)
}
