package main

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

func traceCommand(env *environment) *cobra.Command {
	o, last := &operations{env: env}, 1
	c := o.command(&cobra.Command{
		Use:   "trace KEY|TURN",
		Short: "Show what turns did, and why, with file and line of the flow",
		Long: `Show what a turn did step by step and why: the rule, its place in the flow, and what was decided about
version, flow and language. A conversation's key shows its last turns.`,
		Example: `  greentic trace demo:webchat:conversation:user --last 3 --data ./data
  greentic trace 0199a3f2-… --json`,
		Args: exactArgs(1),
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
			if err := printWhy(env, why); err != nil {
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

func printWhy(env *environment, w operate.Why) error {
	if env.JSON {
		return printJSON(env, w)
	}
	fmt.Fprintf(env.Stdout, "turn %s  %s  %s  %v\n", w.Turn, w.Status, w.Began.Local().Format(time.DateTime), w.TookNS.Round(time.Microsecond))
	if w.Error != nil {
		fmt.Fprintf(env.Stdout, "failed: %s: %s\n", w.Error.Code, w.Error.Message)
	}
	for _, d := range w.Decisions {
		fmt.Fprintf(env.Stdout, "%s %s: %s\n", d.About, d.Value, d.Why)
	}
	t := table(env.Stdout)
	fmt.Fprintln(t, "N\tNODE\tDOES\tTOOK\tWHERE\tWHY")
	for _, s := range w.Steps {
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
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", s.N, s.Node, does, took, place(s.File, s.Line), why)
	}
	return fault.Wrap("print", t.Flush())
}
