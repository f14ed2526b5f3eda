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

// Run calls the component as a command: wasi:cli/run#run, with what inv says but for its
// interface, function and arguments. The exit code is what the guest gave to exit or
// exit-with-code, else 0 or 1 as run answered. The error is NotFound when the component is no
// command, else as Invoke describes; an exit is none.
func (b *Bound) Run(ctx context.Context, inv Invocation) (code uint8, s Stats, err error) {
	inv.Interface, inv.Func, inv.Args = "", "run", nil
	for _, item := range b.component.Exports() {
		if strings.HasPrefix(item.Name, runInterface) {
			inv.Interface = item.Name
		}
	}
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
