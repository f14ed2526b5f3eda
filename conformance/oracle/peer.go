package oracle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"greentic.dev/greentic/fault"
)

// Peer is another implementation of the component model, driven by a program of runners/: it
// reads worlds as JSON lines and answers each with a line.
type Peer struct {
	Name    string
	Command []string
}

// Answer is what a peer made of a world: the outcomes of its cases in order, or why it does
// not take the component at all.
type Answer struct {
	Outcomes []*Outcome `json:"outcomes"`
	Refused  string     `json:"refused"`
}

// Run gives the answers of the peer to all worlds, in order. The error is Unavailable when the
// program fails or falls silent; it carries what the program said.
func (p Peer) Run(ctx context.Context, worlds []*World) ([]Answer, error) {
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, w := range worlds {
		if err := enc.Encode(w); err != nil {
			return nil, fault.Wrap("oracle "+p.Name, err)
		}
	}
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &problems
	failed := cmd.Run()
	var answers []Answer
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 1<<28)
	for lines.Scan() {
		var a Answer
		if err := decode(lines.Bytes(), &a); err != nil {
			return nil, fault.Wrap("oracle "+p.Name, err)
		}
		answers = append(answers, a)
	}
	if failed != nil || len(answers) != len(worlds) {
		return nil, fault.Newf(fault.Unavailable, "oracle "+p.Name, "%d answers to %d worlds: %v\n%.2000s",
			len(answers), len(worlds), failed, problems.Bytes())
	}
	return answers, nil
}

// Same reports whether two outcomes agree: value, trap, and the calls of the host.
func Same(a, b *Outcome) bool { return a.form() == b.form() }

// form is the canonical text of an outcome.
func (o *Outcome) form() string {
	bare := *o
	bare.Reason = ""
	var v any
	if err := decode([]byte(jsonOf(bare)), &v); err != nil {
		return fmt.Sprint("no JSON: ", err)
	}
	return jsonOf(v)
}

// jsonOf is v as JSON; keys of objects come out sorted.
func jsonOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint("no JSON: ", err)
	}
	return string(raw)
}
