package walk

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// Kind is the kind a failure code names; a component's own codes are the input's fault.
func Kind(code string) fault.Kind {
	for _, k := range fault.Kinds() {
		if k.String() == code {
			return k
		}
	}
	switch code {
	case flow.StepLimit:
		return fault.Exhausted
	case deadlineCode:
		return fault.Timeout
	}
	return fault.Invalid
}

// Code is the code of an error, or its kind when it has none.
func Code(err error) string {
	if _, _, code := fault.Detail(err); code != "" {
		return code
	}
	return fault.KindOf(err).String()
}

// failure is an error of a component's call as the flow sees it.
func failure(err error) *flow.NodeFail {
	kind := fault.KindOf(err)
	return &flow.NodeFail{Code: Code(err), Kind: kind.String(), Message: err.Error(), Retryable: kind.Retryable() || kind == fault.Timeout}
}
