package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"greentic.dev/greentic/fault"
)

// failure is how an error looks with --json.
type failure struct {
	Kind    string          `json:"kind"`
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message"`
	Pos     *fault.Position `json:"position,omitempty"`
	Fix     string          `json:"fix,omitempty"`
}

func describeFailure(err error) failure {
	pos, fix, code := fault.Detail(err)
	f := failure{Kind: fault.KindOf(err).String(), Code: code, Message: err.Error(), Fix: fix}
	if pos != (fault.Position{}) {
		f.Pos = &pos
	}
	return f
}

// printError says what, where with the excerpt, and what to do. With --json the same goes to
// standard error as one JSON object, so that standard output stays the command's own.
func printError(env *environment, err error) {
	f := describeFailure(err)
	if env.JSON {
		line, _ := json.Marshal(map[string]failure{"error": f})
		fmt.Fprintln(env.Stderr, string(line))
		return
	}
	fmt.Fprintf(env.Stderr, "error: %s\n", f.Message)
	if f.Pos != nil {
		printExcerpt(env.Stderr, *f.Pos)
	}
	if f.Fix != "" {
		fmt.Fprintf(env.Stderr, "  fix: %s\n", f.Fix)
	}
}

// printExcerpt shows the line of a position and points at the column.
func printExcerpt(w io.Writer, p fault.Position) {
	if p.Excerpt == "" {
		return
	}
	fmt.Fprintf(w, "  %5d | %s\n", p.Line, p.Excerpt)
	if p.Col > 0 {
		fmt.Fprintf(w, "        | %s^\n", strings.Repeat(" ", p.Col-1))
	}
}

// printJSON writes v as one compact line. Characters that HTML would take for its own stay as
// they are: WIT has them.
func printJSON(env *environment, v any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fault.Wrap("print", err)
	}
	_, err := env.Stdout.Write(line.Bytes())
	return fault.Wrap("print", err)
}
