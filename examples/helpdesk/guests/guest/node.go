package guest

import (
	"errors"

	"greentic.dev/examples/helpdesk/guests/value"
)

// Node is a component: what it is called and what it can do.
type Node struct {
	Name         string // the component id
	Version      string
	Summary      string
	Capabilities []string
	Ops          []Op
}

// Op is one operation. Input and Output are SchemaIr documents (see [Object]).
type Op struct {
	Name    string
	Summary string
	Input   map[string]any
	Output  map[string]any
	Run     func(c *Call) (any, error) // the answer is any value package value can encode
}

// Call is one invocation.
type Call struct {
	Op          string
	Tenant      Tenant
	FlowID      string
	StepID      string
	ComponentID string
	Attempt     uint32
	Input       any // the decoded payload; nil when there is none
}

// Tenant says for whom the call is made. Empty strings are unknown.
type Tenant struct {
	ID, Team, User, Env string
	Trace, Correlation  string
	DeadlineMS          uint64 // milliseconds since 1970; the largest number means none
	IdempotencyKey      string
	Locale              string // i18n-id
}

// Fail is an error with what the host needs to react to it.
type Fail struct {
	Code      string
	Message   string
	Retryable bool
	BackoffMS uint64 // 0 means unknown
}

// Error is the message.
func (f *Fail) Error() string { return f.Code + ": " + f.Message }

// Object is a SchemaIr object that allows only the given properties; required names those
// that must be there.
func Object(properties map[string]any, required ...string) map[string]any {
	list := make([]any, 0, len(required))
	for _, r := range required {
		list = append(list, r)
	}
	return map[string]any{"type": "object", "properties": properties, "required": list,
		"additional": map[string]any{"type": "allow"}}
}

// Of is the SchemaIr of a simple type: string, int, bool, null, bytes.
func Of(kind string) map[string]any { return map[string]any{"type": kind} }

// run finds and runs the operation. A panic is left to trap the guest.
func (n *Node) run(c *Call, payload []byte) ([]byte, error) {
	for i := range n.Ops {
		if n.Ops[i].Name != c.Op {
			continue
		}
		if len(payload) > 0 {
			input, err := value.FromCBOR(payload)
			if err != nil {
				return nil, &Fail{Code: "invalid_input", Message: err.Error()}
			}
			c.Input = input
		}
		answer, err := n.Ops[i].Run(c)
		if err != nil {
			return nil, err
		}
		out, err := value.ToCBOR(answer)
		if err != nil {
			return nil, &Fail{Code: "internal", Message: err.Error()}
		}
		return out, nil
	}
	return nil, &Fail{Code: "not_found", Message: n.Name + " has no operation " + c.Op}
}

// failOf is err as the host reads it.
func failOf(err error) *Fail {
	var f *Fail
	if errors.As(err, &f) {
		return f
	}
	return &Fail{Code: "internal", Message: err.Error()}
}
