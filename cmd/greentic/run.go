package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/loader"
	"greentic.dev/system"
)

// runFlags are the flags of run and up.
type runFlags struct {
	message, input, flow  string
	user, session, locale string
	secrets               []string
	demo                  bool
	overrides             []system.Override
}

// bind gives a command flags that override configuration keys.
func (f *runFlags) bind(c *cobra.Command, keys map[string]string) {
	flags := c.Flags()
	for name, usage := range keys {
		key := strings.ReplaceAll(name, "-", "_")
		switch name {
		case "allow-http":
			flags.StringSlice(name, nil, usage)
		case "allow-unsigned-unsafe":
			flags.Bool(name, false, usage)
		default:
			flags.String(name, "", usage)
		}
		flags.SetAnnotation(name, "key", []string{key})
	}
	flags.StringVar(&f.flow, "flow", "", "flow that new conversations take (default: selected by the pack)")
	flags.StringArrayVar(&f.secrets, "secret", nil, "secret that components which declare it may read, as KEY=VALUE (repeatable)")
}

// settle turns the flags that were set into overrides.
func (f *runFlags) settle(c *cobra.Command, env *environment) (*system.Config, error) {
	for _, name := range []string{"data", "listen", "tenant", "locale", "allow-http", "allow-unsigned-unsafe"} {
		flag := c.Flags().Lookup(name)
		if flag == nil || !flag.Changed {
			continue
		}
		value := flag.Value.String()
		if name == "allow-http" {
			list, err := c.Flags().GetStringSlice(name)
			if err != nil {
				return nil, fault.As(fault.Invalid, c.CommandPath(), err)
			}
			value = strings.Join(list, ",")
		}
		f.overrides = append(f.overrides, system.Override{Key: strings.ReplaceAll(name, "-", "_"), Value: value, Flag: "--" + name})
	}
	return system.Load(env.ConfigFile, env.Getenv, f.overrides)
}

func runCommand(env *environment) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run PACK|DIR...",
		Short: "Run packs: serve their chat, or take one message through a turn",
		Long: `Run packs, which are .gtpack files or source folders.

With --message or --input one turn runs and its replies are printed. Without, the packs are served:
the chat page at /chat, Direct Line at /v3/directline. Sessions are kept in memory unless --data
names a folder. A source folder is built and signed with the developer key on the way.`,
		Example: `  greentic run examples/helpdesk/pack --message "my printer is broken"
  greentic run helpdesk.gtpack --message hallo --locale de --json
  greentic run foreign.gtpack --allow-unsigned-unsafe
  greentic run helpdesk.gtpack --data ./data --listen 127.0.0.1:9000`,
		Args: argsBetween(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := f.settle(c, env)
			if err != nil {
				return err
			}
			config.Packs = args
			if c.Flags().Changed("message") && c.Flags().Changed("input") {
				return fault.New(fault.Invalid, c.CommandPath(), "--message and --input both say what the message is").WithFix("give one of them")
			}
			if c.Flags().Changed("message") || c.Flags().Changed("input") {
				return runTurn(c.Context(), env, config, f, c.Flags().Changed("data"))
			}
			return serve(c.Context(), env, config, f, c.Flags().Changed("data"))
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.message, "message", "", "take this text through one turn and print the replies")
	flags.StringVar(&f.input, "input", "", "take the message in this JSON file (- for standard input) through one turn")
	flags.StringVar(&f.user, "user", "user", "who writes, with --message")
	flags.StringVar(&f.session, "session", "", "conversation key, with --message (default: one of the user's own)")
	f.bind(c, map[string]string{
		"data": "keep sessions and state in this folder", "listen": "address to serve on", "tenant": "tenant to run for",
		"locale": "language of users that name none (BCP 47)", "allow-http": "host that components may call, HOST or HOST:PORT (repeatable)",
		"allow-unsigned-unsafe": "load packs without a trusted signature",
	})
	return c
}

func upCommand(env *environment) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "up",
		Short: "Serve the configured packs on embedded stores",
		Long: `Serve the packs named in greentic.yaml, or with --demo the helpdesk example this binary carries.
Everything durable is kept in the data folder; the next start goes on where this one ended, also
after a crash.`,
		Example: "  greentic up --demo\n  greentic up --listen 0.0.0.0:8080 --data /var/lib/greentic",
		Args:    exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := f.settle(c, env)
			if err != nil {
				return err
			}
			return serve(c.Context(), env, config, f, true)
		},
	}
	c.Flags().BoolVar(&f.demo, "demo", false, "serve the helpdesk example")
	f.bind(c, map[string]string{
		"data": "folder of everything durable", "listen": "address to serve on", "tenant": "tenant to run for",
		"locale": "language of users that name none (BCP 47)", "allow-http": "host that components may call, HOST or HOST:PORT (repeatable)",
		"allow-unsigned-unsafe": "load packs without a trusted signature",
	})
	return c
}

// pairs are the secrets of the command line.
func (f *runFlags) pairs() (map[string]string, error) {
	secrets := map[string]string{}
	for _, pair := range f.secrets {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fault.New(fault.Invalid, "--secret", "it is not KEY=VALUE")
		}
		secrets[key] = value
	}
	return secrets, nil
}

// fixedLocale is the language the command line names; empty: pages follow the browser.
func (f *runFlags) fixedLocale() string {
	for _, o := range f.overrides {
		if o.Key == "locale" {
			return o.Value
		}
	}
	return ""
}

// openSystem opens the platform and loads its packs, saying what was let through.
func openSystem(ctx context.Context, env *environment, config *system.Config, f runFlags, durable bool) (*system.System, error) {
	secrets, err := f.pairs()
	if err != nil {
		return nil, err
	}
	s, err := system.Open(ctx, config, system.Options{Log: newLog(env, config), Getenv: env.Getenv, Ephemeral: !durable, Secrets: secrets, Flow: f.flow, Locale: f.fixedLocale(),
		Draining: func(turns, deliveries int) {
			if env.JSON {
				_ = printJSON(env, map[string]any{"kind": "draining", "turns": turns, "deliveries": deliveries})
			}
		}})
	if err != nil {
		return nil, err
	}
	packs := config.Packs
	if f.demo {
		dir, cleanup, err := demoFolder()
		if err != nil {
			return nil, closing(s, err)
		}
		defer cleanup()
		packs = append([]string{dir}, packs...)
	}
	if len(packs) == 0 {
		return nil, closing(s, fault.New(fault.Invalid, "packs", "none are configured").WithFix("list packs in greentic.yaml, or use --demo"))
	}
	for _, p := range packs {
		report, err := s.Load(ctx, p)
		warn(env, report)
		if err != nil {
			return nil, closing(s, err)
		}
	}
	return s, nil
}

func closing(s *system.System, err error) error {
	if cerr := s.Close(); cerr != nil {
		return fault.Wrap(cerr.Error(), err)
	}
	return err
}

func warn(env *environment, report loader.Report) {
	for _, w := range report.Warnings {
		fmt.Fprintln(env.Stderr, "warning:", w)
	}
}

func newLog(env *environment, config *system.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(config.LogLevel)) // the configuration allows known levels only
	o := &slog.HandlerOptions{Level: level}
	if config.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(env.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(env.Stderr, o))
}

func listen(config *system.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", config.Listen)
	if err == nil {
		return l, nil
	}
	kind := fault.Unavailable
	if wrong := (*net.AddrError)(nil); errors.As(err, &wrong) {
		kind = fault.Invalid
	}
	return nil, &fault.Error{Kind: kind, Op: "listen " + config.Listen, Err: err, Fix: "choose another address with --listen"}
}

func serve(ctx context.Context, env *environment, config *system.Config, f runFlags, durable bool) error {
	l, err := listen(config)
	if err != nil {
		return err
	}
	s, err := openSystem(ctx, env, config, f, durable)
	if err != nil {
		_ = l.Close()
		return err
	}
	debug.FreeOSMemory() // what opening, building and compiling left behind
	err = s.Serve(ctx, l, func(url string) {
		if env.JSON {
			_ = printJSON(env, map[string]string{"kind": "ready", "url": url, "chat": url + "/chat"})
			return
		}
		fmt.Fprintf(env.Stdout, "chat: %s/chat\n", url)
	})
	return closing(s, err)
}

// turnLine ends the output of run --json.
type turnLine struct {
	Kind       string `json:"kind"`
	Status     string `json:"status"`
	Steps      int    `json:"steps"`
	DurationMS int64  `json:"duration_ms"`
}

func runTurn(ctx context.Context, env *environment, config *system.Config, f runFlags, durable bool) error {
	message, err := f.readMessage(env)
	if err != nil {
		return err
	}
	if !durable && config.LogLevel == "info" {
		config.LogLevel = "warn" // one turn: its outcome is the output
	}
	s, err := openSystem(ctx, env, config, f, durable)
	if err != nil {
		return err
	}
	return closing(s, turnOn(ctx, env, s, f, message))
}

func turnOn(ctx context.Context, env *environment, s *system.System, f runFlags, message greentic.Message) error {
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = s.Drain(ctx) }()
	tenant := s.Tenant()
	tenant.User = greentic.UserID(f.user)
	key := f.session
	if key == "" {
		key = strings.Join([]string{string(tenant.Tenant), "cli", "conversation", f.user}, ":")
	}
	message.Conversation, message.From = key, &greentic.Actor{ID: f.user, Kind: "user"}
	body, err := json.Marshal(message)
	if err != nil {
		return fault.Wrap("run", err)
	}
	result, err := s.Turn(ctx, greentic.Trigger{ID: message.ID, Tenant: tenant, Kind: greentic.KindMessage, Route: "cli", Key: key, Body: body})
	if err != nil {
		return err
	}
	for _, reply := range result.Replies {
		if env.JSON {
			if err := printJSON(env, reply); err != nil {
				return err
			}
			continue
		}
		printReply(env, reply)
	}
	if env.JSON {
		if err := printJSON(env, turnLine{"turn", result.Status, result.Steps, result.Duration.Milliseconds()}); err != nil {
			return err
		}
	}
	return result.Err
}

// readMessage is the message that --message or --input gives.
func (f runFlags) readMessage(env *environment) (greentic.Message, error) {
	m := greentic.Message{ID: uuid.NewString(), Channel: "cli", Text: f.message}
	if f.input == "" {
		return m, nil
	}
	var raw []byte
	var err error
	if f.input == "-" {
		raw, err = io.ReadAll(io.LimitReader(env.Stdin, 1<<20))
	} else {
		raw, err = os.ReadFile(f.input)
	}
	if os.IsNotExist(err) {
		return m, fault.Newf(fault.NotFound, "--input", "no file %s", f.input)
	}
	if err != nil {
		return m, fault.As(fault.Unavailable, "--input", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fault.Newf(fault.Invalid, "--input", "%s is no message: %v", f.input, err).WithFix(`a message looks like {"text": "hello", "metadata": {"action": "menu"}}`)
	}
	return m, nil
}
