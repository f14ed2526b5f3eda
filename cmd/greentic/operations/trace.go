package operations

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/operate"
	"greentic.dev/system"
)

func traceCommand(t Terminal) *cobra.Command {
	o, last := &operations{t: t}, 1
	c := o.command(&cobra.Command{
		Use:   "trace KEY|TURN",
		Short: "Show what turns did, and why, with file and line of the flow",
		Long: `Show what a turn did step by step and why: the rule, its place in the flow, and what was decided about
version, flow and language. A conversation's key shows its last turns.`,
		Example: `  greentic trace demo:webchat:conversation:user --last 3 --data ./data
  greentic trace 0199a3f2-… --json`,
		Args: t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		ids, err := o.turnsOf(c.Context(), args[0], last)
		if err != nil {
			return err
		}
		if len(ids) == 0 { // no conversation is called so
			ids = []string{args[0]}
		}
		for _, id := range ids {
			var why operate.Why
			if err := o.Call(c.Context(), "GET", o.path("/v1/turns/"+system.Segment(id)+"/why"), nil, &why); err != nil {
				return missing(err, "record of "+args[0], "greentic session list")
			}
			if err := printWhy(t, why); err != nil {
				return err
			}
		}
		return nil
	})
	c.Flags().IntVar(&last, "last", 1, "how many turns of a conversation to show")
	return c
}

// turnsOf lists the last turns of a conversation, oldest first.
func (o *operations) turnsOf(ctx context.Context, key string, last int) (ids []string, err error) {
	err = pages(0, func(after string, n int) (int, string, error) {
		var page struct {
			Turns []struct {
				Turn string `json:"turn"`
			} `json:"turns"`
			Next string `json:"next"`
		}
		err := o.Call(ctx, "GET", o.path("/v1/turns", "session", key, "after", after, "limit", fmt.Sprint(n)), nil, &page)
		for _, t := range page.Turns {
			ids = append(ids, t.Turn)
		}
		ids = ids[max(0, len(ids)-max(last, 1)):]
		return len(page.Turns), page.Next, err
	})
	return ids, err
}

func printWhy(t Terminal, y operate.Why) error {
	if t.JSON() {
		return t.Print(y)
	}
	fmt.Fprintf(t.Stdout, "turn %s  %s  %s  %v\n", y.Turn, y.Status, y.Began.Local().Format(time.DateTime), y.TookNS.Round(time.Microsecond))
	if y.Error != nil {
		fmt.Fprintf(t.Stdout, "failed: %s: %s\n", y.Error.Code, y.Error.Message)
	}
	for _, d := range y.Decisions {
		fmt.Fprintf(t.Stdout, "%s %s: %s\n", d.About, d.Value, d.Why)
	}
	w := table(t.Stdout)
	fmt.Fprintln(w, "N\tNODE\tDOES\tTOOK\tWHERE\tWHY")
	for _, s := range y.Steps {
		does := strings.TrimSpace(s.Do + " " + s.Component + " " + s.Operation)
		if s.Failed != "" {
			does += " (failed: " + s.Failed + ")"
		}
		why := s.Why
		if s.Checkpoint != "" {
			why += "; checkpoint"
		}
		took := "-"
		if s.TookNS > 0 {
			took = s.TookNS.Round(time.Microsecond).String()
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", s.N, s.Node, does, took, place(s.File, s.Line), why)
	}
	return fault.Wrap("print", w.Flush())
}
