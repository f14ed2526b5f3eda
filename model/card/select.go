//go:build !wasip1

package card

import (
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// Select chooses the flow that answers messages (formats digest 6.2, decisions 24): the one
// named, else among the messaging flows with nodes the one tagged default, else the one called
// default or main, else the only one. tags may be nil. Errors: fault.NotFound when there is
// none, fault.Invalid when several are equally good.
func Select(flows []*flow.Flow, tags func(id string) []string, explicit string) (*flow.Flow, error) {
	if explicit != "" {
		return named(flows, explicit)
	}
	var candidates, tagged []*flow.Flow
	var empty []string
	for _, f := range flows {
		switch {
		case f.Kind != flow.Messaging:
			continue
		case len(f.Nodes) == 0:
			empty = append(empty, f.ID)
			continue
		}
		candidates = append(candidates, f)
		if slices.Contains(f.Tags, "default") || tags != nil && slices.Contains(tags(f.ID), "default") {
			tagged = append(tagged, f)
		}
	}
	if len(tagged) > 0 {
		candidates = tagged
	}
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	for _, id := range []string{"default", "main"} {
		for _, f := range candidates {
			if f.ID == id {
				return f, nil
			}
		}
	}
	switch {
	case len(candidates) > 1:
		return nil, fault.Newf(fault.Invalid, "flow", "several flows could answer: %s", ids(candidates)).WithFix("name one with --flow ID")
	case len(empty) > 0:
		return nil, noStart(strings.Join(empty, ", "))
	}
	return nil, fault.New(fault.NotFound, "flow", "there is no messaging flow").WithFix("add a flow of type messaging, or name a flow with --flow ID")
}

func named(flows []*flow.Flow, id string) (*flow.Flow, error) {
	for _, f := range flows {
		if f.ID != id {
			continue
		}
		if len(f.Nodes) == 0 {
			return nil, noStart(id)
		}
		return f, nil
	}
	e := fault.Newf(fault.NotFound, "flow "+id, "there is no such flow")
	if len(flows) > 0 {
		e.Fix = "use one of " + ids(flows)
	}
	return nil, e
}

func noStart(empty string) error {
	return fault.Newf(fault.NotFound, "flow", "no start node: %s without nodes", empty).WithFix("add a node, or name another flow with --flow ID")
}

func ids(flows []*flow.Flow) string {
	list := make([]string, len(flows))
	for i, f := range flows {
		list[i] = f.ID
	}
	return strings.Join(list, ", ")
}
