package main

import (
	"context"
	"errors"
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"greentic.dev/sdk/go/greentic"
)

const maxFilter = 64 << 10 // bytes

// misread is why a filter is none, and where.
type misread struct {
	message   string
	line, col int
	excerpt   string
}

func (m *misread) Error() string {
	if m.line == 0 {
		return m.message
	}
	return "line " + strconv.Itoa(m.line) + ", column " + strconv.Itoa(m.col) + ": " + m.message + "\n  " + m.excerpt
}

// compile reads the filter of an input. The error is a *misread, or an *greentic.Error.
func (s source) compile(c config) (*gojq.Code, []any, error) {
	filter := s.Filter
	if s.Name != "" {
		named, ok := c.Filters[s.Name]
		switch {
		case filter != "":
			return nil, nil, greentic.Fail(greentic.CodeInvalidInput, "give filter or name, not both")
		case !ok:
			return nil, nil, greentic.Fail("no_filter", "the configuration has no filter "+strconv.Quote(s.Name))
		}
		filter = named
	}
	switch {
	case strings.TrimSpace(filter) == "":
		return nil, nil, greentic.Fail(greentic.CodeInvalidInput, "there is no filter: set filter, or name one of the configuration")
	case len(filter) > maxFilter:
		return nil, nil, greentic.Fail("filter_too_long", "the filter has "+strconv.Itoa(len(filter))+" bytes, more than "+strconv.Itoa(maxFilter))
	}
	query, err := gojq.Parse(filter)
	if err != nil {
		return nil, nil, place(filter, err)
	}
	var names []string
	for name := range s.Vars {
		names = append(names, name)
	}
	sort.Strings(names)
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = plain(s.Vars[name])
		names[i] = "$" + name
	}
	code, err := gojq.Compile(query, gojq.WithVariables(names), gojq.WithEnvironLoader(func() []string { return nil }))
	if err != nil {
		return nil, nil, &misread{message: strings.TrimPrefix(err.Error(), "gojq: ")}
	}
	return code, values, nil
}

// place finds the line of a parse error.
func place(filter string, err error) error {
	m := &misread{message: strings.TrimPrefix(err.Error(), "gojq: ")}
	var p *gojq.ParseError
	if errors.As(err, &p) {
		at := min(max(p.Offset-len(p.Token), 0), len(filter))
		start := strings.LastIndexByte(filter[:at], '\n') + 1
		m.line, m.col = 1+strings.Count(filter[:at], "\n"), 1+utf8.RuneCountInString(filter[start:at])
		m.excerpt, _, _ = strings.Cut(filter[start:], "\n")
	}
	return m
}

func apply(ctx *greentic.Context, in mapIn) (mapOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return mapOut{}, err
	}
	code, values, err := in.compile(c)
	var wrong *misread
	if errors.As(err, &wrong) {
		return mapOut{}, greentic.Fail("filter_invalid", wrong.Error())
	}
	if err != nil {
		return mapOut{}, err
	}
	b := &budget{Context: context.Background(), left: c.Steps}
	results := []any{}
	for it := code.RunWithContext(b, plain(in.Input), values...); ; {
		v, ok := it.Next()
		if !ok {
			break
		}
		if err, ok := v.(error); ok {
			if halt := new(gojq.HaltError); errors.As(err, &halt) && halt.Value() == nil {
				break
			}
			return mapOut{}, b.failed(err, c)
		}
		if len(results) == c.Results {
			return mapOut{}, greentic.Fail("too_many_results", "the filter gives more than "+strconv.Itoa(c.Results)+" results")
		}
		results = append(results, v)
		if !in.All && len(results) == 1 && c.Results == 1 {
			break
		}
	}
	return in.output(results, c)
}

// output makes the answer of the results.
func (in *mapIn) output(results []any, c config) (mapOut, error) {
	out := mapOut{Status: "ok", Count: len(results)}
	if len(results) == 0 {
		out.Status = "empty"
	}
	var v any
	switch {
	case in.All:
		v = results
	case len(results) > 0:
		v = results[0]
	}
	left := c.Bytes
	var err error
	if out.Value, err = measured(v, &left, 0); err != nil {
		return mapOut{}, err
	}
	if left < 0 {
		return mapOut{}, greentic.Fail("output_too_large", "the result has more than "+strconv.Itoa(c.Bytes)+" bytes")
	}
	return out, nil
}

// budget is a context that ends after so many looks at it: the machine looks at every step.
type budget struct {
	context.Context
	left int
}

// Done is closed when the steps are used up.
func (b *budget) Done() <-chan struct{} {
	if b.left--; b.left >= 0 {
		return nil
	}
	done := make(chan struct{})
	close(done)
	return done
}

// Err is why.
func (b *budget) Err() error {
	if b.left >= 0 {
		return nil
	}
	return context.Canceled
}

// failed is what a filter ended with as an error of ours.
func (b *budget) failed(err error, c config) error {
	if b.left < 0 {
		return greentic.Fail("too_many_steps", "the filter runs for more than "+strconv.Itoa(c.Steps)+" steps")
	}
	f := greentic.Fail("filter_failed", strings.TrimPrefix(err.Error(), "gojq: "))
	var thrown interface{ Value() any }
	if errors.As(err, &thrown) {
		left := 64 << 10
		if v, bad := measured(thrown.Value(), &left, 0); bad == nil && left >= 0 {
			f.Details = v
		}
	}
	return f
}

// plain is a value as the machine takes it.
func plain(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case uint64:
		return new(big.Int).SetUint64(v)
	case []byte:
		return string(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}

const maxDepth = 60 // of results; values may not nest deeper than 64 in all

// measured is a result as a plain value; left goes down by about its length as JSON.
func measured(v any, left *int, depth int) (any, error) {
	if depth > maxDepth {
		return nil, greentic.Fail("output_too_deep", "the result nests deeper than "+strconv.Itoa(maxDepth))
	}
	if *left -= 4; *left < 0 {
		return nil, nil
	}
	switch v := v.(type) {
	case string:
		*left -= len(v)
	case int:
		return int64(v), nil
	case *big.Int:
		if v.IsInt64() {
			return v.Int64(), nil
		}
		f, _ := new(big.Float).SetInt(v).Float64()
		return finite(f), nil
	case float64:
		return finite(v), nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = measured(v[i], left, depth+1); err != nil || *left < 0 {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			*left -= len(k) + 3
			var err error
			if out[k], err = measured(v[k], left, depth+1); err != nil || *left < 0 {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// finite is a number as jq writes it: null for none, the largest for infinity, a whole one without a point.
func finite(f float64) any {
	switch {
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return int64(f)
	case math.IsNaN(f):
		return nil
	case math.IsInf(f, 0):
		return math.Copysign(math.MaxFloat64, f)
	}
	return f
}

func check(ctx *greentic.Context, in source) (checkOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return checkOut{}, err
	}
	_, _, err := in.compile(c)
	var m *misread
	if errors.As(err, &m) {
		return checkOut{Message: m.message, Line: m.line, Col: m.col, Excerpt: m.excerpt}, nil
	}
	return checkOut{OK: err == nil}, err
}
