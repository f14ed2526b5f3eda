package greentic

import "errors"

// Error is a failure the host can react to. A flow sees its code and message, and routes by them.
type Error struct {
	Code      string // a word: "not_found", "rate_limited"; it is part of the component's contract
	Message   string // for people; no secret
	Retryable bool   // the same call may succeed later
	BackoffMS int    // how many milliseconds to wait before; 0 leaves it to the host
	Details   any    // more about it, any value; nil for none
}

// The codes this package uses itself.
const (
	CodeInvalidInput  = "invalid_input"  // the input does not fit the operation's type
	CodeInvalidOutput = "invalid_output" // the answer has no value form
	CodeInvalidConfig = "invalid_config" // the configuration does not fit Info.Config
	CodeNoOperation   = "not_found"      // the component has no such operation
	CodePanic         = "panic"          // the operation panicked
	CodeBroken        = "broken"         // the component was put together wrongly
	CodeInternal      = "internal"       // an error without a code
)

// Fail is an error with a code.
func Fail(code, message string) *Error { return &Error{Code: code, Message: message} }

// Retry is an error worth another try after a pause in milliseconds; 0 leaves the pause to the host.
func Retry(code, message string, backoffMS int) *Error {
	return &Error{Code: code, Message: message, Retryable: true, BackoffMS: backoffMS}
}

// Error is the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// failure is err as the host reads it.
func failure(err error) *Error {
	var e *Error
	if errors.As(err, &e) && e != nil {
		if e.Code == "" {
			c := *e
			c.Code = CodeInternal
			return &c
		}
		return e
	}
	return Fail(CodeInternal, err.Error())
}

func invalidInput(err error) *Error { return Fail(CodeInvalidInput, err.Error()) }
