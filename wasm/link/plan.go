package link

import (
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/plan"
)

// What callers of this package need of the plan, so that they import this package only.
type (
	// Plan is the static instance graph of a component.
	Plan = plan.Plan
	// Extern is an import or export of a component, reflected.
	Extern = plan.Extern
)

// NewPlan checks a component and evaluates it. Errors are Invalid (ill-typed), Unsupported or
// Exhausted and carry the byte offset.
func NewPlan(c *binary.Component, lim binary.Limits) (*Plan, error) { return plan.New(c, lim) }
