package operations

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

func deadletterCommand(t Terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "deadletter",
		Short: "See work that was given up; try it again or drop it",
		Long: `A dead letter is a turn that failed, a reply or event that could not be delivered, or an event that a
subscription could not take (kind subscription).`,
		Args: t.Group,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(deadletterListCommand(t), deadletterShowCommand(t),
		deadletterActCommand(t, "retry", "retried", "POST", "/retry", "Put the work back: it runs or is sent again, behind all other of its conversation",
			"A turn keeps its identity and its idempotency keys: what it did outside is not done again. An event of the bus is handed to its\n"+
				"subscription again."),
		deadletterActCommand(t, "drop", "dropped", "DELETE", "", "Forget the work for ever", "Drop a dead letter; it cannot be tried again."))
	return c
}

// deadletterLine is a dead letter as lists show it.
type deadletterLine struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Key    string    `json:"key"`
	At     time.Time `json:"at"`
	Code   string    `json:"code"`
	Reason string    `json:"reason"`
}

func deadletterListCommand(t Terminal) *cobra.Command {
	o, limit := &operations{t: t}, 0
	c := o.command(&cobra.Command{
		Use:   "list",
		Short: "List dead letters with their reasons",
		Long: `List dead letters with their reasons. The kind is turn, reply, event, or subscription: those of the event
bus, whose column SESSION names the subscription.`,
		Example: "  greentic deadletter list --data ./data",
		Args:    t.Args(0),
	}, func(c *cobra.Command, _ []string) error {
		all, lacks := []json.RawMessage{}, ""
		err := pages(limit, func(after string, n int) (int, string, error) {
			var page struct {
				Letters []json.RawMessage `json:"dead_letters"`
				Next    string            `json:"next"`
				Lacks   string            `json:"lacks"`
			}
			err := o.Call(c.Context(), "GET", o.path("/v1/deadletters", "after", after, "limit", fmt.Sprint(n)), nil, &page)
			all, lacks = append(all, page.Letters...), page.Lacks
			return len(page.Letters), page.Next, err
		})
		if err != nil {
			return err
		}
		if t.JSON() {
			out := map[string]any{"dead_letters": all}
			if lacks != "" {
				out["lacks"] = lacks
			}
			return t.Print(out)
		}
		w, now := table(t.Stdout), time.Now()
		fmt.Fprintln(w, "ID\tKIND\tSESSION\tAGE\tCODE\tREASON")
		for _, raw := range all {
			var l deadletterLine
			if err := json.Unmarshal(raw, &l); err != nil {
				return fault.As(fault.Internal, "deadletter list", err)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Kind, l.Key, ago(l.At, now), l.Code, l.Reason)
		}
		if err := w.Flush(); err != nil || lacks == "" {
			return fault.Wrap("print", err)
		}
		_, err = fmt.Fprintln(t.Stdout, "\nthose of the event bus are not shown:", lacks)
		return fault.Wrap("print", err)
	})
	c.Flags().IntVar(&limit, "limit", 0, "how many to list (default: all)")
	return c
}

func deadletterShowCommand(t Terminal) *cobra.Command {
	o := &operations{t: t}
	return o.command(&cobra.Command{
		Use:     "show ID",
		Short:   "Show a dead letter whole, as JSON",
		Long:    `Show a dead letter whole, as JSON: the reason, and the trigger or the items it holds.`,
		Example: "  greentic deadletter show 0199a3f2-… --data ./data",
		Args:    t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		var l json.RawMessage
		if err := o.Call(c.Context(), "GET", o.path("/v1/deadletters/"+system.Segment(args[0])), nil, &l); err != nil {
			return missing(err, "dead letter "+args[0], "greentic deadletter list")
		}
		if t.JSON() {
			return t.Print(l)
		}
		var v any
		if err := json.Unmarshal(l, &v); err != nil {
			return fault.As(fault.Internal, "deadletter show", err)
		}
		text, err := json.MarshalIndent(v, "", "  ")
		if err == nil {
			_, err = fmt.Fprintln(t.Stdout, string(text))
		}
		return fault.Wrap("print", err)
	})
}

func deadletterActCommand(t Terminal, name, done, method, suffix, short, long string) *cobra.Command {
	o := &operations{t: t}
	return o.command(&cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Long:    long,
		Example: "  greentic deadletter " + name + " 0199a3f2-… --data ./data",
		Args:    t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		if err := o.Call(c.Context(), method, o.path("/v1/deadletters/"+system.Segment(args[0])+suffix), nil, nil); err != nil {
			return missing(err, "dead letter "+args[0], "greentic deadletter list")
		}
		return printDone(t, done, args[0])
	})
}
