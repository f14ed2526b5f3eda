package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/host"
)

// invokeFlags are the flags of component invoke. Here --secret and --allow-http declare and
// grant at once, for there is no pack that could declare.
type invokeFlags struct {
	operation, input, config string
	tenant, locale           string
	secrets, hosts           []string
}

func componentInvokeCommand(env *environment) *cobra.Command {
	var f invokeFlags
	c := &cobra.Command{
		Use:   "invoke FILE --op OP --input JSON | invoke FILE [-- ARG...]",
		Short: "Call one operation of a component, or run a command",
		Long: `Call one operation of a component in a fresh instance.

The input is JSON, @FILE, or - for standard input. State is empty and thrown away. A component
reaches only the secrets and hosts given here. An answer that reports a failure exits 0 with
"ok":false; a component that gives no answer exits with the code of the failure.

A component that exports wasi:cli/run is a command: without --op it runs with the arguments after
-- and the streams of this process, and sees no files, no network and no environment.`,
		Example: `  greentic component invoke provider.wasm --op healthcheck --input '{}'
  greentic component invoke provider.wasm --op send --input @message.json --secret API_TOKEN=abc --allow-http api.example.com
  greentic component invoke tool.wasm -- --help`,
		Args: func(c *cobra.Command, args []string) error {
			if n := c.ArgsLenAtDash(); n >= 0 {
				args = args[:n]
			}
			return exactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return invokeComponent(c.Context(), env, args[0], args[1:], f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.operation, "op", "", "operation to call")
	flags.StringVar(&f.input, "input", "{}", "input: JSON, @FILE, or -")
	flags.StringVar(&f.config, "component-config", "", "configuration given to the component: JSON, or @FILE")
	flags.StringVar(&f.tenant, "tenant", "", "tenant to run for (default from the configuration)")
	flags.StringVar(&f.locale, "locale", "", "language of the user (BCP 47)")
	flags.StringArrayVar(&f.secrets, "secret", nil, "secret the component may read, as KEY=VALUE (repeatable)")
	flags.StringArrayVar(&f.hosts, "allow-http", nil, "host the component may call, as HOST or HOST:PORT (repeatable)")
	return c
}

func invokeComponent(ctx context.Context, env *environment, file string, args []string, f invokeFlags) error {
	request, err := f.request(env)
	if err != nil {
		return err
	}
	w, err := openComponent(ctx, env, file)
	if err != nil {
		return err
	}
	defer w.close()
	if f.operation == "" && w.code.IsCommand() {
		return w.runCommand(ctx, env, args, f)
	}
	if len(args) > 0 {
		return fault.New(fault.Invalid, "component "+file, "it is no command, so it takes no arguments").WithFix("pass --op and --input")
	}
	tenant := greentic.TenantCtx{Env: greentic.EnvID(w.config.Env), Tenant: greentic.TenantID(w.config.Tenant), Locale: w.config.Locale}
	if f.tenant != "" {
		tenant.Tenant = greentic.TenantID(f.tenant)
	}
	if f.locale != "" {
		tenant.Locale = f.locale
	}
	store := memory.New()
	for _, pair := range f.secrets {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fault.New(fault.Invalid, "--secret", "it is not KEY=VALUE")
		}
		if err := store.Put(ctx, tenant, secrets.Name{Key: key}, []byte(value)); err != nil {
			return fault.Wrap("--secret", err)
		}
		request.Grants.Secrets = append(request.Grants.Secrets, key)
	}
	client := egress.New(egress.Options{})
	defer client.Close()
	h := host.New(host.Deps{Engine: w.engine, HTTP: client, Secrets: store, Log: stderrLog(env, w.config.LogLevel)}, w.options())
	component, err := h.Load(ctx, w.name, w.bytes)
	if err != nil {
		return err
	}
	if request.Operation == "" && component.ABI() != host.ABIRun {
		return missingOperation(ctx, component)
	}
	response, err := component.Invoke(ctx, tenant, request)
	return printResponse(env, response, err)
}

// request is the call that the flags describe.
func (f invokeFlags) request(env *environment) (host.Request, error) {
	r := host.Request{Flow: "component", Node: "invoke", Operation: f.operation, State: &scratch{values: map[string][]byte{}}, Grants: host.Grants{State: true}}
	var err error
	if r.Input, err = readArgument(env, "--input", f.input); err != nil {
		return r, err
	}
	if f.config != "" {
		if r.Config, err = readArgument(env, "--component-config", f.config); err != nil {
			return r, err
		}
	}
	for _, text := range f.hosts {
		grant, err := egress.ParseGrant(text)
		if err != nil {
			return r, fault.Wrap("--allow-http", err)
		}
		r.Grants.Hosts = append(r.Grants.Hosts, grant)
	}
	return r, nil
}

// readArgument reads a JSON argument: itself, @FILE, or - for standard input.
func readArgument(env *environment, flag, value string) (any, error) {
	text := []byte(value)
	var err error
	if value == "-" {
		text, err = io.ReadAll(env.Stdin)
	} else if name, ok := strings.CutPrefix(value, "@"); ok {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fault.As(fault.NotFound, flag, err)
	}
	v, err := cbor.FromJSON(text)
	return v, fault.Wrap(flag, err)
}

func missingOperation(ctx context.Context, component *host.Component) error {
	err := fault.New(fault.Invalid, "component "+component.Name(), "no operation given")
	if d, derr := component.Describe(ctx); derr == nil && len(d.Operations) > 0 {
		var names []string
		for _, o := range d.Operations {
			names = append(names, o.Name)
		}
		return err.WithFix("--op " + strings.Join(names, "|"))
	}
	return err.WithFix("pass --op OPERATION")
}

func stderrLog(env *environment, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the configuration allows known levels only
	return slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: l}))
}

// answer is what `component invoke --json` prints.
type answer struct {
	OK     bool           `json:"ok"`
	Output any            `json:"output"`
	Error  *flow.NodeFail `json:"error"`
	Stats  answerStats    `json:"stats"`
}

type answerStats struct {
	Fuel       uint64      `json:"fuel"` // points the guest passed, the same for the same work
	HostCalls  int         `json:"host_calls"`
	PeakMemory uint64      `json:"peak_memory_bytes"`
	Wall       int64       `json:"wall_us"`
	CPU        int64       `json:"cpu_us"`
	Calls      []host.Call `json:"calls"` // of host interfaces, in order
}

// printResponse prints an answer, or why there is none, and returns failed unchanged.
func printResponse(env *environment, r host.Response, failed error) error {
	a := answer{OK: r.OK && failed == nil, Output: r.Output, Error: r.Fail, Stats: answerStats{Fuel: r.Stats.Fuel,
		HostCalls: r.Stats.HostCalls, PeakMemory: r.Stats.PeakMemory, Wall: r.Stats.Wall.Microseconds(),
		CPU: r.Stats.CPU.Microseconds(), Calls: r.Calls}}
	if a.Stats.Calls == nil {
		a.Stats.Calls = []host.Call{}
	}
	if failed != nil {
		f := describeFailure(failed)
		a.Error = &flow.NodeFail{Code: f.Code, Message: f.Message, Retryable: fault.KindOf(failed).Retryable()}
		if f.Code == "" {
			a.Error.Code = f.Kind
		}
	}
	if env.JSON {
		if err := printJSON(env, a); err != nil {
			return err
		}
		return failed
	}
	if failed != nil {
		return failed
	}
	text, err := json.MarshalIndent(a.Output, "", "  ")
	if err != nil {
		return fault.Wrap("print", err)
	}
	fmt.Fprintln(env.Stdout, string(text))
	if a.Error != nil {
		fmt.Fprintf(env.Stderr, "the component reports a failure: %s: %s\n", a.Error.Code, a.Error.Message)
	}
	return nil
}

// scratch is the state of a bare invocation.
type scratch struct {
	mu     sync.Mutex
	values map[string][]byte
}

// Read implements host.State.
func (s *scratch) Read(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.values[key]; ok {
		return v, nil
	}
	return nil, fault.Newf(fault.NotFound, "state", "no key %q", key)
}

// Write implements host.State.
func (s *scratch) Write(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

// Delete implements host.State.
func (s *scratch) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}
