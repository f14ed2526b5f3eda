package operations

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

// Terminal is what the commands use of the program they belong to.
type Terminal struct {
	Stdout io.Writer
	JSON   func() bool       // whether --json was given
	Print  func(v any) error // one JSON object on standard output
	Args   func(n int) cobra.PositionalArgs
	Group  cobra.PositionalArgs // of commands that only have commands below them

	// Open finds the way to the operations of a data folder; empty: as configured.
	Open func(ctx context.Context, data string) (*system.Operator, error)
}

// Commands are the commands of operators.
func Commands(t Terminal) []*cobra.Command {
	return []*cobra.Command{sessionCommand(t), deadletterCommand(t), traceCommand(t)}
}

// operations are the flags of commands that look at a data folder, and the way to it.
type operations struct {
	t            Terminal
	data, tenant string
	*system.Operator
}

const operationsHelp = `
The command speaks to the server that runs on the data folder, and works on the folder itself when
none does.`

// command makes a command whose run has a way to the operations.
func (o *operations) command(c *cobra.Command, run func(c *cobra.Command, args []string) error) *cobra.Command {
	flags := c.Flags()
	flags.StringVar(&o.data, "data", "", "the server's data folder (default: as configured)")
	flags.StringVar(&o.tenant, "tenant", "", "tenant to look at (default: as configured)")
	c.Long += "\n" + operationsHelp
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if o.Operator, err = o.t.Open(c.Context(), o.data); err != nil {
			return err
		}
		defer func() {
			if cerr := o.Close(); err == nil {
				err = cerr
			}
		}()
		return run(c, args)
	}
	return c
}

// path is a path of the operations with its query; empty values are left out.
func (o *operations) path(path string, query ...string) string {
	q := url.Values{}
	query = append(query, "tenant", o.tenant)
	for i := 0; i < len(query); i += 2 {
		if query[i+1] != "" {
			q.Set(query[i], query[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// pages reads a list page by page, at most limit things of it (0: all); each reads one page and says
// how many things it had and where the next begins.
func pages(limit int, each func(after string, n int) (had int, next string, err error)) error {
	for after := ""; ; {
		n := 1000
		if limit > 0 {
			n = min(n, limit)
		}
		had, next, err := each(after, n)
		if err != nil || next == "" || limit > 0 && had >= limit {
			return err
		}
		if after = next; limit > 0 {
			limit -= had
		}
	}
}

// missing says what does not exist, in the words of the command.
func missing(err error, what, list string) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return fault.New(fault.NotFound, what, "there is none").WithFix(list + " shows those there are; --tenant and --data say whose")
}

func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// place is file:line, or a dash.
func place(file string, line int) string {
	switch {
	case file == "" && line == 0:
		return "-"
	case line == 0:
		return file
	}
	return file + ":" + strconv.Itoa(line)
}

// ago is a time as people compare it.
func ago(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case at.IsZero():
		return "-"
	case d < 0:
		return "in " + (-d).Round(time.Second).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return d.Round(time.Minute).String()
	case d < 48*time.Hour:
		return d.Round(time.Hour).String()
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
