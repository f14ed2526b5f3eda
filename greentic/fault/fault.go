package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Position is a place in a source the user can edit. Line and Col are 1-based; 0 means unknown.
type Position struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Excerpt string `json:"excerpt,omitempty"` // the source line, without its newline
}

// String is file:line:col, leaving out what is unknown.
func (p Position) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
		if p.Col > 0 {
			s += fmt.Sprintf(":%d", p.Col)
		}
	}
	return s
}

// Error is a failure: kind, operation, cause, and for user errors a position and a fix.
type Error struct {
	Kind Kind
	Op   string   // "op subject", for example "pack open quickstart.gtpack"
	Msg  string   // lower case, no full stop, no secret; empty when Err says it
	Code string   // a stable code of a foreign catalogue, for example PACK_ID_MISSING; may be empty
	Pos  Position // zero when there is none
	Fix  string   // what the user should do; may be empty
	Err  error    // the cause; may be nil
}

// Error renders "op: position: msg: cause".
func (e *Error) Error() string {
	parts := make([]string, 0, 4)
	if e.Op != "" {
		parts = append(parts, e.Op)
	}
	if p := e.Pos.String(); p != "" {
		parts = append(parts, p)
	}
	if e.Msg != "" {
		parts = append(parts, e.Msg)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if len(parts) == 0 {
		return e.Kind.String()
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes a failure of a kind.
func New(kind Kind, op, msg string) *Error { return &Error{Kind: kind, Op: op, Msg: msg} }

// Newf is New with a formatted message. Use %w never: wrap with Wrap.
func Newf(kind Kind, op, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: op, Msg: fmt.Sprintf(format, args...)}
}

// Wrap adds an operation to err and keeps its kind. A nil err gives nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Op: op, Err: err}
}

// As gives err a kind at the border where its meaning is known. A nil err gives nil.
func As(kind Kind, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Op: op, Err: err}
}

// At returns e with a position; it changes and returns its receiver, for use while building an error.
func (e *Error) At(p Position) *Error { e.Pos = p; return e }

// WithFix returns e with advice; it changes and returns its receiver.
func (e *Error) WithFix(fix string) *Error { e.Fix = fix; return e }

// WithCode returns e with a catalogue code; it changes and returns its receiver.
func (e *Error) WithCode(code string) *Error { e.Code = code; return e }

// KindOf finds the kind of err: that of the outermost fault, Canceled or Timeout for the
// context errors, and Internal for anything else. KindOf(nil) is Internal; do not ask.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	for _, target := range contextErrors() {
		if errors.Is(err, target) {
			k, _ := kindOfContext(target)
			return k
		}
	}
	return Internal
}

// Is reports whether err is a failure of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// Detail finds the innermost position, fix and code carried by err's tree; of joined errors the
// first that has one counts.
func Detail(err error) (pos Position, fix, code string) {
	switch e := err.(type) {
	case nil:
		return pos, fix, code
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			p, f, c := Detail(one)
			if pos == (Position{}) {
				pos = p
			}
			fix, code = first(fix, f), first(code, c)
		}
		return pos, fix, code
	}
	pos, fix, code = Detail(errors.Unwrap(err))
	if e, ok := err.(*Error); ok {
		if pos == (Position{}) {
			pos = e.Pos
		}
		fix, code = first(fix, e.Fix), first(code, e.Code)
	}
	return pos, fix, code
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
