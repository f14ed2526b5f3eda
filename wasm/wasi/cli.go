package wasi

import (
	"fmt"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// ExitError is the cause of the trap when a guest calls wasi:cli/exit. Find it with errors.As;
// the error around it is fault.Invalid, as for every guest that ends without an answer.
type ExitError struct {
	Code uint8 // 0 is success
}

// Error says the code.
func (e *ExitError) Error() string { return fmt.Sprintf("guest exited with code %d", e.Code) }

func (c *Call) exit(code uint8) any {
	return c.Trap(fault.As(fault.Invalid, "wasi exit", &ExitError{Code: code}))
}

func cli() []*link.Interface {
	return []*link.Interface{
		Face("cli/environment", map[string]link.Func{
			"get-environment": Func(func(c *Call) any {
				list := make([]any, 0, len(c.cfg.Env))
				for _, e := range c.cfg.Env {
					list = append(list, []any{e[0], e[1]})
				}
				return list
			}),
			"get-arguments": Func(func(c *Call) any {
				list := make([]any, 0, len(c.cfg.Args))
				for _, a := range c.cfg.Args {
					list = append(list, a)
				}
				return list
			}),
			"initial-cwd": Func(func(c *Call) any { return c.cwd() }),
		}),
		Face("cli/exit", map[string]link.Func{
			"exit": Func(func(c *Call) any {
				code := uint8(0)
				if Arg[canon.Result](c, 0).IsErr {
					code = 1
				}
				return c.exit(code)
			}),
			"exit-with-code": Func(func(c *Call) any { return c.exit(Arg[uint8](c, 0)) }),
		}),
		Face("cli/stdin", map[string]link.Func{"get-stdin": answer(own(stdin))}),
		Face("cli/stdout", map[string]link.Func{"get-stdout": answer(own(stdout))}),
		Face("cli/stderr", map[string]link.Func{"get-stderr": answer(own(stderr))}),
		Face("cli/terminal-input", nil, "terminal-input"),
		Face("cli/terminal-output", nil, "terminal-output"),
		Face("cli/terminal-stdin", map[string]link.Func{"get-terminal-stdin": answer(canon.Option{})}),
		Face("cli/terminal-stdout", map[string]link.Func{"get-terminal-stdout": answer(canon.Option{})}),
		Face("cli/terminal-stderr", map[string]link.Func{"get-terminal-stderr": answer(canon.Option{})}),
	}
}
