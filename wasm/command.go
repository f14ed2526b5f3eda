package wasm

import (
	"context"
	"errors"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/wasi"
)

// runInterface is what commands export, in any version of its line.
const runInterface = "wasi:cli/run@0.2."

// IsCommand says whether the component is a command, so that Run can run it.
func (c *Component) IsCommand() bool { return c.runs() != "" }

func (c *Component) runs() (iface string) {
	for _, item := range c.Exports() {
		if strings.HasPrefix(item.Name, runInterface) {
			iface = item.Name
		}
	}
	return iface
}

// Run calls the component as a command: wasi:cli/run#run, with what inv says but for its
// interface, function and arguments. The exit code is what the guest gave to exit or
// exit-with-code, else 0 or 1 as run answered. The error is NotFound when the component is no
// command, else as Invoke describes; an exit is none.
func (b *Bound) Run(ctx context.Context, inv Invocation) (code uint8, s Stats, err error) {
	inv.Interface, inv.Func, inv.Args = b.component.runs(), "run", nil
	if inv.Interface == "" {
		return 0, Stats{}, fault.New(fault.NotFound, "run command", "the component does not export "+runInterface+"x")
	}
	result, s, err := b.Invoke(ctx, inv)
	var exit *wasi.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.Code, s, nil
	case err != nil:
		return 0, s, err
	}
	if r, ok := result.(Result); ok && r.IsErr {
		return 1, s, nil
	}
	return 0, s, nil
}
