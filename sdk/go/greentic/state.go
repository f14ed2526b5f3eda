package greentic

import "greentic.dev/sdk/go/internal/value"

// State is the component's memory, kept by the host: for one conversation, unless the pack's
// configuration of the component widens it.
type State struct{ c *Context }

// State is the memory of this invocation's component.
func (c *Context) State() State { return State{c} }

// Get puts what is kept under key where to points, and says whether there is anything. Keys have 1 to 512
// bytes. The error is an *Error with the code state_denied, state_unavailable, state_invalid or
// state_internal.
func (s State) Get(key string, to any) (bool, error) {
	var text []byte
	var err *Error
	found := false
	if m := s.c.mock; m != nil {
		text, found = m.state[key]
	} else {
		text, found, err = hostStateRead(key)
	}
	if err != nil {
		return false, stateError("read", key, err)
	}
	if !found || len(text) == 0 {
		return false, nil
	}
	plain, bad := value.FromJSON(text)
	if bad == nil {
		bad = Decode(plain, to)
	}
	if bad != nil {
		return true, Fail("state_invalid", "state "+key+": "+bad.Error())
	}
	return true, nil
}

// Set keeps v under key.
func (s State) Set(key string, v any) error {
	text, bad := EncodeJSON(v)
	if bad != nil {
		return Fail("state_invalid", "state "+key+": "+bad.Error())
	}
	if m := s.c.mock; m != nil {
		m.state[key] = text
		return nil
	}
	if err := hostStateWrite(key, text); err != nil {
		return stateError("write", key, err)
	}
	return nil
}

// Delete forgets what is kept under key; there may be nothing.
func (s State) Delete(key string) error {
	if m := s.c.mock; m != nil {
		delete(m.state, key)
		return nil
	}
	if err := hostStateDelete(key); err != nil {
		return stateError("delete", key, err)
	}
	return nil
}

// stateError is what the host said as an error of ours.
func stateError(verb, key string, e *Error) *Error {
	code := "state_internal"
	switch e.Code {
	case "denied", "unavailable":
		code = "state_" + e.Code
	case "invalid-input", "invalid-ctx":
		code = "state_invalid"
	}
	return &Error{Code: code, Message: "state " + verb + " " + key + ": " + e.Message, Retryable: e.Code == "unavailable"}
}
