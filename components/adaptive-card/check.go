package main

import (
	"sort"
	"strconv"
	"strings"

	"greentic.dev/model/card"
	"greentic.dev/sdk/go/greentic"
)

// issue is something wrong with a card.
type issue struct {
	Code    string `json:"code" doc:"not_a_card, missing_field, wrong_type, unknown_type, duplicate_id, version or too_large"`
	Message string `json:"message"`
	Path    string `json:"path" doc:"JSON pointer"`
}

// features are what a card asks of a channel.
type features struct {
	Version  string   `json:"version"`
	Elements []string `json:"used_elements"`
	Actions  []string `json:"used_actions"`
	Bytes    int      `json:"bytes" doc:"of its JSON"`
}

const (
	maxCard  = 28 << 10 // bytes; what Teams takes
	maxDepth = 16
	maxIssue = 100
)

// kind is what a type of element or action needs.
type kind struct {
	since    string   // the version that brought it
	needs    []string // fields it cannot be without
	children []string // fields that hold elements
	actions  []string // fields that hold actions
}

// elements and actions are those of the Adaptive Cards schema, version 1.6.
var elements = map[string]kind{
	"AdaptiveCard":    {since: "1.0", children: []string{"body"}, actions: []string{"actions", "selectAction"}},
	"TextBlock":       {since: "1.0", needs: []string{"text"}},
	"RichTextBlock":   {since: "1.2", needs: []string{"inlines"}},
	"TextRun":         {since: "1.2", needs: []string{"text"}, actions: []string{"selectAction"}},
	"Image":           {since: "1.0", needs: []string{"url"}, actions: []string{"selectAction"}},
	"ImageSet":        {since: "1.0", needs: []string{"images"}, children: []string{"images"}},
	"Media":           {since: "1.1", needs: []string{"sources"}},
	"Container":       {since: "1.0", needs: []string{"items"}, children: []string{"items"}, actions: []string{"selectAction"}},
	"ColumnSet":       {since: "1.0", children: []string{"columns"}, actions: []string{"selectAction"}},
	"Column":          {since: "1.0", children: []string{"items"}, actions: []string{"selectAction"}},
	"FactSet":         {since: "1.0", needs: []string{"facts"}},
	"ActionSet":       {since: "1.2", needs: []string{"actions"}, actions: []string{"actions"}},
	"Table":           {since: "1.5", children: []string{"rows"}},
	"TableRow":        {since: "1.5", children: []string{"cells"}},
	"TableCell":       {since: "1.5", children: []string{"items"}},
	"Input.Text":      {since: "1.0", needs: []string{"id"}, actions: []string{"inlineAction"}},
	"Input.Number":    {since: "1.0", needs: []string{"id"}},
	"Input.Date":      {since: "1.0", needs: []string{"id"}},
	"Input.Time":      {since: "1.0", needs: []string{"id"}},
	"Input.Toggle":    {since: "1.0", needs: []string{"id", "title"}},
	"Input.ChoiceSet": {since: "1.0", needs: []string{"id"}},
}

var actions = map[string]kind{
	"Action.OpenUrl":          {since: "1.0", needs: []string{"url"}},
	"Action.Submit":           {since: "1.0"},
	"Action.ShowCard":         {since: "1.0", needs: []string{"card"}, children: []string{"card"}},
	"Action.ToggleVisibility": {since: "1.2", needs: []string{"targetElements"}},
	"Action.Execute":          {since: "1.4"},
}

// implied is the type of what stands in a field without saying its own.
var implied = map[string]string{"columns": "Column", "rows": "TableRow", "cells": "TableCell", "images": "Image", "inlines": "TextRun", "card": "AdaptiveCard"}

// inspection is one walk through a card.
type inspection struct {
	out      *cardOut
	newest   string // what the card may use
	ids      map[string]string
	elements map[string]bool
	actions  map[string]bool
}

// inspect fills the issues and features of a card; newest is what the channel shows at most.
func (out *cardOut) inspect(doc any, newest string) {
	i := &inspection{out: out, ids: map[string]string{}, elements: map[string]bool{}, actions: map[string]bool{}}
	if err := card.Check(doc); err != nil {
		i.add("not_a_card", "", strings.TrimPrefix(err.Error(), "card: "))
		return
	}
	m := doc.(map[string]any)
	version, _ := m["version"].(string)
	i.newest = version
	if newest != "" && older(newest, version) {
		i.newest = newest
		i.add("version", "/version", "version "+version+" is newer than "+newest+", which the channel shows")
	}
	i.walk(m, "", "AdaptiveCard", elements, 0)
	text, err := greentic.EncodeJSON(doc)
	if err == nil && len(text) > maxCard {
		i.add("too_large", "", "the card has "+strconv.Itoa(len(text))+" bytes, more than "+strconv.Itoa(maxCard))
	}
	out.Features = &features{Version: version, Elements: sorted(i.elements), Actions: sorted(i.actions), Bytes: len(text)}
}

func (i *inspection) add(code, path, message string) {
	i.out.Status = "invalid"
	if len(i.out.Issues) < maxIssue {
		i.out.Issues = append(i.out.Issues, issue{code, message, path})
	}
}

// walk looks at an element or action, which is of the type fallback unless it says another.
func (i *inspection) walk(v any, path, fallback string, known map[string]kind, depth int) {
	m, ok := v.(map[string]any)
	if !ok {
		i.add("wrong_type", path, "this is no object")
		return
	}
	if depth > maxDepth {
		i.add("wrong_type", path, "nested deeper than "+strconv.Itoa(maxDepth))
		return
	}
	name, _ := m["type"].(string)
	if name == "" {
		name = fallback
	}
	if name == "" {
		i.add("missing_field", path+"/type", "type is missing")
		return
	}
	k, ok := known[name]
	if !ok {
		if _, hasFallback := m["fallback"]; !hasFallback {
			i.add("unknown_type", path+"/type", name+" is no "+map[bool]string{true: "element", false: "action"}[known["TextBlock"].since != ""]+" of Adaptive Cards; give it a fallback if the channel knows it")
		}
		return
	}
	if known["TextBlock"].since != "" {
		i.elements[name] = true
	} else {
		i.actions[name] = true
	}
	if older(i.newest, k.since) {
		i.add("version", path+"/type", name+" came with version "+k.since+", the card may use "+i.newest)
	}
	for _, field := range k.needs {
		if v, ok := m[field]; !ok || v == nil || v == "" && field != "text" {
			i.add("missing_field", path+"/"+field, name+" needs "+field)
		}
	}
	if id, _ := m["id"].(string); id != "" && strings.HasPrefix(name, "Input.") {
		if at, twice := i.ids[id]; twice {
			i.add("duplicate_id", path+"/id", "the id "+id+" is used at "+at+" too")
		}
		i.ids[id] = path
	}
	for _, field := range k.children {
		i.each(m[field], path+"/"+field, implied[field], elements, depth)
	}
	for _, field := range k.actions {
		i.each(m[field], path+"/"+field, "", actions, depth)
	}
}

// each looks at what a field holds: a list, or one.
func (i *inspection) each(v any, path, fallback string, known map[string]kind, depth int) {
	single := strings.HasSuffix(path, "Action") || strings.HasSuffix(path, "/card")
	list, ok := v.([]any)
	switch {
	case v == nil:
	case single:
		i.walk(v, path, fallback, known, depth+1)
	case !ok:
		i.add("wrong_type", path, "this is no list")
	default:
		for n, item := range list {
			if text, ok := item.(string); ok && fallback == "TextRun" && text != "" {
				continue
			}
			i.walk(item, path+"/"+strconv.Itoa(n), fallback, known, depth+1)
		}
	}
}

// older says whether version a came before b.
func older(a, b string) bool {
	major, minor := number(a)
	otherMajor, otherMinor := number(b)
	return major < otherMajor || major == otherMajor && minor < otherMinor
}

func number(version string) (major, minor int) {
	a, b, _ := strings.Cut(version, ".")
	major, _ = strconv.Atoi(a)
	minor, _ = strconv.Atoi(b)
	return major, minor
}

func sorted(set map[string]bool) []string {
	list := []string{}
	for name := range set {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}
