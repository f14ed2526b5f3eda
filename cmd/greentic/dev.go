package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"greentic.dev/build/guest"
	"greentic.dev/devkit/dev"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

func devCommand(env *environment) *cobra.Command {
	var f runFlags
	var open bool
	c := &cobra.Command{
		Use:   "dev DIR",
		Short: "Serve a pack from its folder; what is saved there is served at once",
		Long: `Serve the chat of the pack in a folder and watch the folder. What is saved is checked and served to the
conversations that are open; what has an error is shown here and beside the chat, and the last good
version stays. The page shows each turn: the nodes taken, why, what went in and out, and how long it
took.

The address that is printed carries a token: without it the page is the chat alone. Conversations
are kept in memory unless --data names a folder.`,
		Example: `  greentic dev greeter
  greentic dev examples/helpdesk --open
  greentic dev greeter --listen 127.0.0.1:9000 --data ./data --json`,
		Args: exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := f.settle(c, env)
			if err != nil {
				return err
			}
			if err := onLoopback(config.Listen); err != nil {
				return err
			}
			if config.LogLevel == "info" {
				config.LogLevel = "warn" // the loop says what happens
			}
			return develop(c.Context(), env, config, f, packFolder(args[0]), c.Flags().Changed("data"), open)
		},
	}
	c.Flags().BoolVar(&open, "open", false, "open the page in a browser")
	f.bind(c, map[string]string{
		"data": "keep sessions and state in this folder", "listen": "address to serve on, of this machine only", "tenant": "tenant to run for",
		"locale": "language of users that name none (BCP 47)", "allow-http": "host that components may call, HOST or HOST:PORT (repeatable)",
	})
	return c
}

// onLoopback refuses an address that others can reach: what is in the making is nobody else's.
func onLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fault.Newf(fault.Invalid, "listen "+listen, "dev serves this machine only").WithFix("use --listen 127.0.0.1:PORT")
}

// packFolder is the folder with pack.yaml: the one named, or pack below it.
func packFolder(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, "pack.yaml")); err != nil {
		if _, err := os.Stat(filepath.Join(dir, "pack", "pack.yaml")); err == nil {
			return filepath.Join(dir, "pack")
		}
	}
	return filepath.Clean(dir)
}

func develop(ctx context.Context, env *environment, config *system.Config, f runFlags, folder string, durable, open bool) error {
	l, err := listen(config)
	if err != nil {
		return err
	}
	var loop *dev.Loop // set before anything is served
	secrets, err := f.pairs()
	if err == nil {
		var s *system.System
		s, err = system.Open(ctx, config, system.Options{Log: newLog(env, config), Getenv: env.Getenv, Ephemeral: !durable, Secrets: secrets, Flow: f.flow, Locale: f.fixedLocale(),
			Token: rand.Text() + rand.Text(), Dev: true,
			Ended: func(t greentic.TenantCtx, key string, r runner.TurnResult) { loop.Ended(t, key, r) }})
		if err == nil {
			screen := dev.Screen{Out: env.Stdout, Folder: folder}
			tell := screen.Tell
			if env.JSON {
				tell = func(e dev.Event) { _ = printJSON(env, e) }
			}
			loop, err = dev.Open(ctx, dev.Options{System: s, Folder: folder, Log: newLog(env, config), Now: time.Now, Tell: tell, Build: componentBuilder(env, s)})
			if err != nil {
				err = closing(s, err)
			} else {
				return closing(s, serveLoop(ctx, env, s, loop, l, open))
			}
		}
	}
	_ = l.Close()
	return err
}

// componentBuilder builds components into the folders of their sources, as component build does.
func componentBuilder(env *environment, s *system.System) func(ctx context.Context, project string) error {
	return func(ctx context.Context, project string) error {
		b, err := guest.Build(ctx, project, guest.Options{Engine: s.Engine(), Getenv: env.Getenv, Look: exec.LookPath})
		if err != nil {
			return err
		}
		return b.Write(project)
	}
}

// serveLoop serves and watches until ctx ends or one of both fails.
func serveLoop(ctx context.Context, env *environment, s *system.System, loop *dev.Loop, l net.Listener, open bool) error {
	s.Mount(loop.Routes()...)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan error, 1)
	started := false
	err := s.Serve(ctx, l, func(url string) {
		started = true
		go func() {
			defer cancel()
			watched <- loop.Run(ctx)
		}()
		page := url + "/chat#token=" + s.Token()
		if env.JSON {
			_ = printJSON(env, map[string]string{"kind": "ready", "url": url, "chat": page, "token": s.Token()})
		} else {
			fmt.Fprintf(env.Stdout, "chat: %s\n", page)
		}
		if open {
			openBrowser(env, page)
		}
	})
	cancel()
	if started {
		if werr := <-watched; werr != nil {
			return werr
		}
	}
	return err
}

// openBrowser shows a page in the user's browser, or says why it cannot.
func openBrowser(env *environment, url string) {
	command := []string{"xdg-open", url}
	switch runtime.GOOS {
	case "darwin":
		command = []string{"open", url}
	case "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler", url}
	}
	if err := exec.Command(command[0], command[1:]...).Start(); err != nil {
		fmt.Fprintln(env.Stderr, "warning: no browser could be opened:", strings.TrimSpace(err.Error()))
	}
}
