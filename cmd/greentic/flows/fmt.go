package flows

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/linediff"
	"greentic.dev/model/flow/format"
)

// formatted is what `flow fmt --json` prints for each file.
type formatted struct {
	File    string `json:"file"`
	Changed bool   `json:"changed"` // it was, or with --check and --diff it would be
	Diff    string `json:"diff,omitempty"`
}

func fmtCommand(t Terminal) *cobra.Command {
	var check, diff bool
	c := &cobra.Command{
		Use:   "fmt FILE|DIR...",
		Short: "Give flows their canonical form",
		Long: `Give flows their canonical form: the order of keys, indentation by two, at most one blank line. Comments stay
with what they are about; texts, quotes and lists on one line stay as they are. The flow means the same.

Files that change are rewritten and named. --check changes nothing and fails when something would change;
--diff shows what would. - formats standard input to standard output.`,
		Example: `  greentic flow fmt flows/main.ygtc
  greentic flow fmt --check .
  greentic flow fmt - < main.ygtc`,
		Args: t.Args(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "-" {
				return fmtInput(t, check)
			}
			names, err := files("flow fmt", args, ".ygtc")
			if err != nil {
				return err
			}
			defer debug.SetGCPercent(debug.SetGCPercent(garbage))
			changed := 0
			for _, name := range names {
				one, err := fmtFile(name, !check && !diff)
				if err != nil {
					return err
				}
				if one.Changed {
					changed++
				}
				if err := one.print(t, diff); err != nil {
					return err
				}
			}
			if check && changed > 0 {
				return fault.Newf(fault.Invalid, "flow fmt", "%d of %d flows are not in canonical form", changed, len(names)).
					WithFix("greentic flow fmt rewrites them")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing; fail when a flow is not in canonical form")
	c.Flags().BoolVar(&diff, "diff", false, "change nothing; show what would change")
	return c
}

func fmtInput(t Terminal, check bool) error {
	src, err := io.ReadAll(io.LimitReader(t.Stdin, maxSource))
	if err != nil {
		return fault.As(fault.Unavailable, "flow fmt", err)
	}
	out, err := format.Source("standard input", src)
	if err != nil {
		return err
	}
	if check {
		if !bytes.Equal(src, out) {
			return fault.New(fault.Invalid, "flow fmt", "the flow is not in canonical form")
		}
		return nil
	}
	_, err = t.Stdout.Write(out)
	return fault.Wrap("print", err)
}

func fmtFile(name string, write bool) (formatted, error) {
	one := formatted{File: name}
	src, err := read("flow fmt", name, maxSource)
	if err != nil {
		return one, err
	}
	out, err := format.Source(name, src)
	if err != nil || bytes.Equal(src, out) {
		return one, err
	}
	one.Changed, one.Diff = true, linediff.Unified(name, name+" (formatted)", string(src), string(out))
	if !write {
		return one, nil
	}
	info, err := os.Stat(name)
	if err == nil {
		err = maybe.WriteFile(name, out, info.Mode().Perm())
	}
	return one, fault.As(fault.Unavailable, "flow fmt "+name, err)
}

func (one formatted) print(t Terminal, diff bool) error {
	if !diff {
		shown := one
		shown.Diff = ""
		one = shown
	}
	var err error
	switch {
	case t.JSON():
		return t.Print(one)
	case !one.Changed:
	case diff:
		_, err = io.WriteString(t.Stdout, one.Diff)
	default:
		_, err = fmt.Fprintln(t.Stdout, one.File)
	}
	return fault.Wrap("print", err)
}
