package operations

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/operate"
	"greentic.dev/system"
)

func sessionCommand(t Terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "session",
		Short: "See which conversations are open, on which version; move, end or replay them",
		Args:  t.Group,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(sessionListCommand(t), sessionShowCommand(t), sessionMigrateCommand(t), sessionReplayCommand(t), sessionEndCommand(t))
	return c
}

// sessionList is what `session list --json` prints.
type sessionList struct {
	Releases []operate.Release `json:"releases"`
	Sessions []operate.Session `json:"sessions"`
}

func sessionListCommand(t Terminal) *cobra.Command {
	o, limit := &operations{t: t}, 0
	c := o.command(&cobra.Command{
		Use:   "list",
		Short: "List open conversations and how many are on which version",
		Long:  `List open conversations: the version each is on and where it waits; first how many are on which version.`,
		Example: `  greentic session list --data ./data
  greentic session list --limit 20 --json`,
		Args: t.Args(0),
	}, func(c *cobra.Command, _ []string) error {
		var all sessionList
		if err := o.Call(c.Context(), "GET", o.path("/v1/releases"), nil, &all); err != nil {
			return err
		}
		all.Sessions = []operate.Session{}
		err := pages(limit, func(after string, n int) (int, string, error) {
			var page struct {
				Sessions []operate.Session `json:"sessions"`
				Next     string            `json:"next"`
			}
			err := o.Call(c.Context(), "GET", o.path("/v1/sessions", "after", after, "limit", fmt.Sprint(n)), nil, &page)
			all.Sessions = append(all.Sessions, page.Sessions...)
			return len(page.Sessions), page.Next, err
		})
		if err != nil {
			return err
		}
		return printSessions(t, all)
	})
	c.Flags().IntVar(&limit, "limit", 0, "how many to list (default: all)")
	return c
}

func printSessions(t Terminal, all sessionList) error {
	if t.JSON() {
		return t.Print(all)
	}
	w := table(t.Stdout)
	fmt.Fprintln(w, "RELEASE\tPACK\tVERSION\tSERVED\tSESSIONS")
	for _, r := range all.Releases {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", r.Digest.Short(), orDash(r.Pack), orDash(r.Version.Version), map[bool]string{true: "yes", false: "no"}[r.Served], r.Sessions)
	}
	if err := w.Flush(); err != nil || len(all.Sessions) == 0 {
		return fault.Wrap("print", err)
	}
	fmt.Fprintln(t.Stdout)
	now := time.Now()
	fmt.Fprintln(w, "SESSION\tRELEASE\tVERSION\tFLOW\tWAITS AT\tREASON\tDUE\tIDLE")
	for _, s := range all.Sessions {
		due := "-"
		if !s.Due.IsZero() {
			due = ago(s.Due, now)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Key, s.Release.Short(), orDash(s.Version), s.Flow, s.Node, orDash(s.Reason), due, ago(s.Updated, now))
	}
	return fault.Wrap("print", w.Flush())
}

func sessionShowCommand(t Terminal) *cobra.Command {
	o := &operations{t: t}
	return o.command(&cobra.Command{
		Use:     "show KEY",
		Short:   "Show a conversation: pack, version, and the node it waits at with file and line",
		Long:    `Show a conversation: pack, version, and the node it waits at with file and line.`,
		Example: "  greentic session show demo:webchat:conversation:user --data ./data",
		Args:    t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		var s operate.Session
		if err := o.Call(c.Context(), "GET", o.path("/v1/sessions/"+system.Segment(args[0])), nil, &s); err != nil {
			return missing(err, "session "+args[0], "greentic session list")
		}
		return printSession(t, s)
	})
}

func printSession(t Terminal, s operate.Session) error {
	if t.JSON() {
		return t.Print(s)
	}
	now := time.Now()
	w := table(t.Stdout)
	for _, row := range [][2]string{
		{"session", s.Key}, {"pack", orDash(s.Pack) + " " + s.Version}, {"release", string(s.Release)}, {"flow", s.Flow},
		{"waits at", s.Node + "  " + place(s.File, s.Line)}, {"reason", orDash(s.Reason)}, {"due", ago(s.Due, now)},
		{"route", orDash(s.Route)}, {"user", orDash(s.User)}, {"began", ago(s.Began, now) + " ago"}, {"last turn", ago(s.Updated, now) + " ago"},
		{"pending", fmt.Sprint(s.Pending)},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	return fault.Wrap("print", w.Flush())
}

func sessionMigrateCommand(t Terminal) *cobra.Command {
	o, to, pack := &operations{t: t}, "", ""
	c := o.command(&cobra.Command{
		Use:   "migrate KEY",
		Short: "Move a conversation to another version of its pack",
		Long: `Move a parked conversation to another release: the one named by --to, or the one served of its pack.
It must have the conversation's flow and the node it waits at; the wait and its due time stay.`,
		Example: `  greentic session migrate demo:webchat:conversation:user --data ./data
  greentic session migrate demo:webchat:conversation:user --to 2.1.0`,
		Args: t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		digest, err := o.release(c, to)
		if err != nil {
			return err
		}
		var s operate.Session
		err = o.Call(c.Context(), "POST", o.path("/v1/sessions/"+system.Segment(args[0])+"/migrate"), map[string]any{"release": digest, "pack": pack}, &s)
		if err != nil {
			return missing(err, "session "+args[0], "greentic session list")
		}
		return printSession(t, s)
	})
	c.Flags().StringVar(&to, "to", "", "release to go to: its version, pack@version, or digest, which may be cut short")
	c.Flags().StringVar(&pack, "pack", "", "take the served release of this pack (default: the conversation's own)")
	return c
}

// release finds the release that a digest, its beginning, a version or pack@version means.
func (o *operations) release(c *cobra.Command, begin string) (greentic.Digest, error) {
	if _, err := greentic.ParseDigest(begin); err == nil || begin == "" {
		return greentic.Digest(begin), nil
	}
	var all sessionList
	if err := o.Call(c.Context(), "GET", o.path("/v1/releases"), nil, &all); err != nil {
		return "", err
	}
	var found []greentic.Digest
	for _, r := range all.Releases {
		if hasDigest(r.Digest, begin) || r.Pack != "" && (begin == r.Version.Version || begin == r.Pack+"@"+r.Version.Version) {
			found = append(found, r.Digest)
		}
	}
	if len(found) != 1 {
		return "", fault.Newf(fault.NotFound, "--to "+begin, "%d releases are called so", len(found)).WithFix("greentic session list shows the releases there are")
	}
	return found[0], nil
}

// hasDigest says whether a digest begins with at least four digits.
func hasDigest(d greentic.Digest, begin string) bool {
	n := len(begin)
	return n >= 4 && (len(d.Hex()) >= n && d.Hex()[:n] == begin || n > len("sha256:") && len(d) >= n && string(d)[:n] == begin)
}

func sessionEndCommand(t Terminal) *cobra.Command {
	o := &operations{t: t}
	return o.command(&cobra.Command{
		Use:     "end KEY",
		Short:   "End a conversation; the next message begins a new one",
		Long:    `End a parked conversation. Its user is told nothing; the next message begins a new conversation.`,
		Example: "  greentic session end demo:webchat:conversation:user --data ./data",
		Args:    t.Args(1),
	}, func(c *cobra.Command, args []string) error {
		if err := o.Call(c.Context(), "DELETE", o.path("/v1/sessions/"+system.Segment(args[0])), nil, nil); err != nil {
			return missing(err, "session "+args[0], "greentic session list")
		}
		return printDone(t, "ended", args[0])
	})
}

// printDone says what was done to what.
func printDone(t Terminal, verb, what string) error {
	if t.JSON() {
		return t.Print(map[string]string{verb: what})
	}
	_, err := fmt.Fprintf(t.Stdout, "%s %s\n", verb, what)
	return fault.Wrap("print", err)
}
