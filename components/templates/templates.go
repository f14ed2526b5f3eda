package main

import (
	"sort"
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
	"greentic.dev/sdk/go/greentic"
)

type config struct {
	Templates map[string]string `json:"templates,omitempty" doc:"named templates"`
}

type source struct {
	Template string `json:"template,omitempty" doc:"the template"`
	Name     string `json:"name,omitempty" doc:"a template of the configuration, instead of template"`
	included
}

type included struct {
	Partials map[string]string `json:"partials,omitempty" doc:"what {{> name}} includes, beside the templates of the configuration"`
}

// all are the templates that others may include.
func (i included) all(c config) expr.Options {
	o := expr.Options{Partials: map[string]string{}}
	for _, more := range []map[string]string{c.Templates, i.Partials} {
		for name, template := range more {
			o.Partials[name] = template
		}
	}
	return o
}

type textIn struct {
	source
	Data map[string]any `json:"data,omitempty" doc:"what paths begin in"`
}

type textOut struct {
	Text string `json:"text"`
}

type valueIn struct {
	Value any            `json:"value" doc:"any value; its strings are templates"`
	Data  map[string]any `json:"data,omitempty" doc:"what paths begin in"`
	Loose bool           `json:"loose,omitempty" doc:"a path that leads nowhere is null instead of an error"`
	included
}

type valueOut struct {
	Value any `json:"value"`
}

type checkOut struct {
	OK    bool     `json:"ok"`
	Roots []string `json:"roots" doc:"the first names of all paths"`
	Whole bool     `json:"whole" doc:"it looks at the data as a whole"`
	Fault *finding `json:"fault,omitempty"`
}

type finding struct {
	Message string `json:"message"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	Excerpt string `json:"excerpt"`
}

// asText stands behind a template, for one that is nothing but a path would be a typed value.
const asText = "{{!}}"

// open finds the template of an input and compiles it to a text.
func (s source) open(ctx *greentic.Context) (*expr.Mapping, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return nil, err
	}
	template := s.Template
	if s.Name != "" {
		named, ok := c.Templates[s.Name]
		switch {
		case template != "":
			return nil, greentic.Fail(greentic.CodeInvalidInput, "give template or name, not both")
		case !ok:
			return nil, greentic.Fail("no_template", "the configuration has no template "+strconv.Quote(s.Name)+"; it has "+listed(c.Templates))
		}
		template = named
	}
	return expr.CompileWith(template+asText, s.all(c))
}

func listed(templates map[string]string) string {
	if len(templates) == 0 {
		return "none"
	}
	var names []string
	for name := range templates {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func text(ctx *greentic.Context, in textIn) (textOut, error) {
	m, err := in.open(ctx)
	if err != nil {
		return textOut{}, failed(err)
	}
	v, err := m.Render(in.Data, true)
	if err != nil {
		return textOut{}, failed(err)
	}
	out, _ := v.(string)
	return textOut{out}, nil
}

func value(ctx *greentic.Context, in valueIn) (valueOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return valueOut{}, err
	}
	m, err := expr.CompileWith(in.Value, in.all(c))
	if err != nil {
		return valueOut{}, failed(err)
	}
	v, err := m.Render(in.Data, in.Loose)
	return valueOut{v}, failed(err)
}

func check(ctx *greentic.Context, in source) (checkOut, error) {
	m, err := in.open(ctx)
	if fault.Is(err, fault.Invalid) {
		at, _, _ := fault.Detail(err)
		return checkOut{Roots: []string{}, Fault: &finding{err.Error(), at.Line, at.Col, strings.TrimSuffix(at.Excerpt, asText)}}, nil
	}
	if err != nil {
		return checkOut{}, failed(err)
	}
	roots := m.Roots()
	return checkOut{OK: true, Roots: append([]string{}, roots.Names...), Whole: roots.All}, nil
}

// failed is err with a code a flow can route by.
func failed(err error) error {
	switch {
	case fault.Is(err, fault.Exhausted):
		return greentic.Fail("template_limit", err.Error())
	case fault.Is(err, fault.Invalid):
		return greentic.Fail("template_invalid", err.Error())
	}
	return err
}
