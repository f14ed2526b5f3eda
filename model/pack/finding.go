package pack

import "fmt"

// Severity says how bad a finding is.
type Severity string

// The severities of the ecosystem's diagnostics.
const (
	Info  Severity = "info"
	Warn  Severity = "warn"
	Error Severity = "error"
)

// Finding is something worth knowing about a pack: a code of formats digest 4.3 where there is
// one, what, and in which file of the archive.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Path     string   `json:"path,omitempty"`
	Hint     string   `json:"hint,omitempty"`
}

// String is "severity CODE path: message".
func (f Finding) String() string {
	at := ""
	if f.Path != "" {
		at = " " + printable(f.Path)
	}
	return fmt.Sprintf("%s %s%s: %s", f.Severity, f.Code, at, f.Message)
}

func found(s Severity, code, path, format string, args ...any) Finding {
	return Finding{Severity: s, Code: code, Path: path, Message: fmt.Sprintf(format, args...)}
}

func (f Finding) hint(s string) Finding { f.Hint = s; return f }
