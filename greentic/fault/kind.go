package fault

import "context"

// Kind is the sort of a failure. The set is closed: a new kind needs a decision record.
type Kind uint8

// The kinds. The zero value is Internal, so that a forgotten kind is reported as our defect.
const (
	Internal    Kind = iota // our defect
	Invalid                 // the input is wrong; the caller must change it
	NotFound                // the thing named does not exist (or may not be seen)
	Exists                  // the thing to create is already there
	Conflict                // somebody else changed it meanwhile; read again and retry
	Denied                  // policy or permission says no
	Unverified              // signature, digest or provenance does not hold
	Unsupported             // well-formed, but this version does not do it
	Exhausted               // a limit or quota is used up
	Timeout                 // a deadline passed
	Unavailable             // a dependency does not answer now; retry later
	Canceled                // the caller gave up
)

type row struct {
	name  string
	http  int
	exit  int
	wit   string // error-code of greentic:interfaces-types@0.1.0
	retry bool
}

// One table: kind -> HTTP status, process exit code, WIT error-code, worth retrying unchanged.
var table = [...]row{
	Internal:    {"internal", 500, 1, "internal", false},
	Invalid:     {"invalid", 400, 2, "invalid-input", false},
	NotFound:    {"not_found", 404, 3, "not-found", false},
	Exists:      {"exists", 409, 4, "conflict", false},
	Conflict:    {"conflict", 409, 5, "conflict", true},
	Denied:      {"denied", 403, 6, "permission-denied", false},
	Unverified:  {"unverified", 403, 7, "permission-denied", false},
	Unsupported: {"unsupported", 501, 8, "invalid-input", false},
	Exhausted:   {"exhausted", 429, 9, "rate-limited", true},
	Timeout:     {"timeout", 504, 10, "timeout", true},
	Unavailable: {"unavailable", 503, 11, "unavailable", true},
	Canceled:    {"canceled", 499, 12, "unknown", false},
}

// Kinds lists every kind, in table order.
func Kinds() []Kind {
	ks := make([]Kind, len(table))
	for i := range ks {
		ks[i] = Kind(i)
	}
	return ks
}

func (k Kind) row() row {
	if int(k) < len(table) {
		return table[k]
	}
	return table[Internal]
}

// String is the kind's name in snake_case, as used in JSON, logs and spans.
func (k Kind) String() string { return k.row().name }

// HTTPStatus is the response status for a failure of this kind.
func (k Kind) HTTPStatus() int { return k.row().http }

// ExitCode is the process exit code for a failure of this kind (1..12).
func (k Kind) ExitCode() int { return k.row().exit }

// WIT is the error-code case of greentic:interfaces-types@0.1.0 for this kind.
func (k Kind) WIT() string { return k.row().wit }

// Retryable says whether the same request may succeed later unchanged.
func (k Kind) Retryable() bool { return k.row().retry }

func kindOfContext(err error) (Kind, bool) {
	switch err {
	case context.Canceled:
		return Canceled, true
	case context.DeadlineExceeded:
		return Timeout, true
	}
	return Internal, false
}

func contextErrors() [2]error { return [2]error{context.Canceled, context.DeadlineExceeded} }
