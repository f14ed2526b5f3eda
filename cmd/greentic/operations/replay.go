package operations

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/backing/record"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

func sessionReplayCommand(t Terminal) *cobra.Command {
	o, pack, from := &operations{t: t}, "", ""
	c := o.command(&cobra.Command{
		Use:   "replay KEY",
		Short: "Run a conversation's record again without effects and compare",
		Long: `Run the recorded turns of a conversation again, on the versions they ran on or on another one, with what
the outside answered then: nothing is sent, stored or called. It says that everything is equal, or names
the first step that differs and ends with code 5.`,
		Example: `  greentic session replay demo:webchat:conversation:user --data ./data
  greentic session replay demo:webchat:conversation:user --pack ./new-version
  greentic session replay demo:webchat:conversation:user --pack 2.1.0 --from 7.2 --json`,
		Args: t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		ask := map[string]any{}
		if err := o.replayOn(c, pack, ask); err != nil {
			return err
		}
		if err := replayFrom(from, ask); err != nil {
			return err
		}
		var got runner.Replayed
		if err := o.Call(c.Context(), "POST", o.path("/v1/sessions/"+system.Segment(args[0])+"/replay"), ask, &got); err != nil {
			return err
		}
		return printReplay(t, got)
	})
	c.Flags().StringVar(&pack, "pack", "", "run on this pack: a file, a folder, or a known release by version, pack@version or digest (default: those of then)")
	c.Flags().StringVar(&from, "from", "", "begin to compare at this turn, TURN or TURN.STEP, as they are numbered in the output")
	return c
}

// replayOn settles what to run on: a path that exists, else a release that is known.
func (o *operations) replayOn(c *cobra.Command, pack string, ask map[string]any) error {
	if pack == "" {
		return nil
	}
	if _, err := os.Stat(pack); err == nil {
		path, err := filepath.Abs(pack) // a server has another working folder
		ask["pack"] = path
		return fault.As(fault.Internal, "--pack", err)
	}
	digest, err := o.release(c, pack)
	if fault.Is(err, fault.NotFound) {
		return fault.Newf(fault.NotFound, "--pack "+pack, "there is no such file, folder or release").WithFix("greentic session list shows the releases there are")
	}
	ask["release"] = digest
	return err
}

// replayFrom reads TURN or TURN.STEP.
func replayFrom(text string, ask map[string]any) error {
	if text == "" {
		return nil
	}
	turn, step, both := strings.Cut(text, ".")
	seq, err := strconv.ParseUint(turn, 10, 64)
	n := 0
	if err == nil && both {
		n, err = strconv.Atoi(step)
	}
	if err != nil || n < 0 {
		return fault.Newf(fault.Invalid, "--from", "%q is not TURN or TURN.STEP", text).WithFix("write a number such as 3, or two such as 3.1")
	}
	ask["from"], ask["step"] = seq, n
	return nil
}

// printReplay prints a replay; one that differs is an error too.
func printReplay(t Terminal, got runner.Replayed) error {
	if t.JSON() {
		if err := t.Print(got); err != nil {
			return err
		}
	} else {
		w := table(t.Stdout)
		fmt.Fprintln(w, "TURN\tRELEASE\tSTEPS\tSTATUS\tREPLAY")
		for _, one := range got.Turns {
			fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%s\n", one.Seq, one.Release.Short(), one.Steps, one.Status, map[bool]string{true: "equal", false: "differs"}[one.Equal])
		}
		if err := w.Flush(); err != nil {
			return fault.Wrap("print", err)
		}
		if d := got.Divergence; d != nil {
			printDifference(t, d)
		}
	}
	if d := got.Divergence; d != nil {
		return fault.Newf(fault.Conflict, "replay "+got.Session, "turn %d differs at step %d: %s", d.Seq, d.Step, strings.TrimSpace(d.What+" "+d.Path))
	}
	return nil
}

func printDifference(t Terminal, d *record.Difference) {
	fmt.Fprintf(t.Stdout, "\nturn %d (%s), step %d, node %s: %s\n", d.Seq, d.Turn, d.Step, orDash(d.Node), strings.TrimSpace(d.What+" "+d.Path))
	fmt.Fprintf(t.Stdout, "  recorded  %s\n  now       %s\n", d.Recorded, d.Now)
	if d.Reason.Why != "" {
		fmt.Fprintf(t.Stdout, "  %s  %s\n", place(d.Reason.File, d.Reason.Line), d.Reason.Why)
	}
}
