package flows

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// Terminal is what the commands use of the program they belong to.
type Terminal struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	JSON           func() bool       // whether --json was given
	Print          func(v any) error // one JSON object on standard output
	Args           func(min, max int) cobra.PositionalArgs
	Group          cobra.PositionalArgs                // of commands that only have commands below them
	Excerpt        func(w io.Writer, p fault.Position) // the line of a position, with its column
	Version        string                              // of the program

	Engine func(ctx context.Context) (*wasm.Engine, error) // as configured, for components; it must be closed
}

// Command is the command flow with those below it.
func Command(t Terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "flow",
		Short: "Check, format, draw and test flows",
		Args:  t.Group,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(checkCommand(t), fmtCommand(t), graphCommand(t), testCommand(t))
	return c
}

// maxSource is one byte more than the compiler accepts, so that it can refuse.
const maxSource = 4<<20 + 1

// read reads at most max bytes of a file.
func read(op, name string, max int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(op, name, err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, max))
	return src, fileError(op, name, err)
}

func fileError(op, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case os.IsNotExist(err):
		return fault.Newf(fault.NotFound, op, "no file or folder %s", name)
	}
	return fault.As(fault.Invalid, op+" "+name, err)
}

// files lists files as they are given and those that end so below folders.
func files(op string, args []string, end string) ([]string, error) {
	var out []string
	for _, arg := range args {
		before := len(out)
		err := filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (name == arg || strings.HasSuffix(name, end) && !strings.HasPrefix(d.Name(), ".")) {
				out = append(out, name)
			}
			return err
		})
		if err != nil {
			return nil, fileError(op, arg, err)
		}
		if len(out) == before {
			return nil, fault.Newf(fault.NotFound, op+" "+arg, "there is no %s file", end)
		}
	}
	return out, nil
}
