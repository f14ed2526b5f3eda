package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"

	"greentic.dev/build"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/loader"
	"greentic.dev/system"
	"greentic.dev/wasm"
)

func packCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "pack",
		Short: "Begin, build, look into, verify and sign packs",
		Args:  onlyCommands,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(packNewCommand(env), packBuildCommand(env), packInspectCommand(env), packVerifyCommand(env), packSignCommand(env))
	return c
}

// builtPack is what `pack build --json` and `pack sign --json` print.
type builtPack struct {
	File     string          `json:"file"`
	Digest   string          `json:"digest"`
	Size     int             `json:"size"` // bytes
	ID       string          `json:"id"`
	Version  string          `json:"version"`
	Key      string          `json:"key,omitempty"` // name of the key it is signed with
	Files    []pack.FileInfo `json:"files,omitempty"`
	Findings []pack.Finding  `json:"findings"`
}

func packBuildCommand(env *environment) *cobra.Command {
	var out, key string
	var unsigned bool
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build the pack of a source folder and sign it",
		Long: `Build the pack of a source folder (default .) and sign it.

Without --key the local developer key signs; it is made and trusted on first use. The same folder
gives the same bytes. The time in the signature is SOURCE_DATE_EPOCH, or 1980 when it is not set.`,
		Example: "  greentic pack build examples/helpdesk\n  greentic pack build . --key release --out helpdesk.gtpack",
		Args:    argsBetween(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if unsigned && key != "" {
				return fault.New(fault.Invalid, c.CommandPath(), "--key and --unsigned exclude each other")
			}
			r := builtPack{Key: key}
			config, err := system.Load(env.ConfigFile, env.Getenv, nil)
			if err != nil {
				return err
			}
			opts := build.Options{Limits: config.PackLimits(), Progress: func(step string) { progress(env, step) }}
			if !unsigned {
				if opts.Sign, r.Key, err = packSigner(c.Context(), env, config, key); err != nil {
					return err
				}
			}
			engine, err := wasm.New(c.Context(), wasm.Options{CacheDir: config.CodeCache(false)})
			if err != nil {
				return err
			}
			defer engine.Close(context.WithoutCancel(c.Context()))
			opts.Describe = build.Describer(engine)
			built, err := build.Pack(c.Context(), dir, opts)
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Join(dir, "dist", built.ID+".gtpack")
			}
			if err := writePack(out, built.Bytes); err != nil {
				return err
			}
			r.File, r.Digest, r.Size, r.ID, r.Version = out, string(built.Digest), len(built.Bytes), built.ID, built.Version
			r.Files, r.Findings = built.Files, built.Findings
			return printBuilt(env, r)
		},
	}
	c.Flags().StringVar(&out, "out", "", "the file to write (default DIR/dist/ID.gtpack)")
	c.Flags().StringVar(&key, "key", "", "sign with this key instead of the developer key")
	c.Flags().BoolVar(&unsigned, "unsigned", false, "do not sign; such a pack loads only with --allow-unsigned-unsafe")
	return c
}

func packSignCommand(env *environment) *cobra.Command {
	var out, key string
	var updateSBOM bool
	c := &cobra.Command{
		Use:     "sign FILE",
		Short:   "Sign a pack, in place of any signature it has",
		Example: "  greentic pack sign helpdesk.gtpack --key release",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := system.Load(env.ConfigFile, env.Getenv, nil)
			if err != nil {
				return err
			}
			a, report, err := inspectFile(c.Context(), config, args[0])
			if err != nil {
				return err
			}
			if err := sealed("pack sign "+args[0], report.Findings); err != nil && !updateSBOM {
				return err.WithFix("if you answer for the files as they are, use --update-sbom")
			}
			sign, name, err := packSigner(c.Context(), env, config, key)
			if err != nil {
				return err
			}
			signed, err := a.Resign(sign)
			if err != nil {
				return err
			}
			again, err := pack.Open(signed, config.PackLimits())
			if err != nil {
				return err
			}
			if err := sealed("pack sign "+args[0], append(again.Findings(), again.Integrity()...)); err != nil {
				return err
			}
			if out == "" {
				out = args[0]
			}
			if err := writePack(out, signed); err != nil {
				return err
			}
			return printBuilt(env, builtPack{File: out, Digest: string(again.Digest()), Size: len(signed), ID: a.ID(), Version: a.Version(), Key: name})
		},
	}
	c.Flags().StringVar(&out, "out", "", "the file to write (default: FILE itself)")
	c.Flags().StringVar(&key, "key", "", "sign with this key instead of the developer key")
	c.Flags().BoolVar(&updateSBOM, "update-sbom", false, "sign files that differ from the bill of materials, and write a new one")
	return c
}

// sealed reports the first finding that a signature cannot heal.
func sealed(op string, findings []pack.Finding) *fault.Error {
	for _, f := range findings {
		if f.Severity == pack.Error {
			return fault.New(fault.Unverified, op, f.Path+": "+f.Message).WithCode(f.Code)
		}
	}
	return nil
}

// packSigner opens the named key, or the developer key, which it makes on first use.
func packSigner(ctx context.Context, env *environment, config *system.Config, key string) (pack.Sign, string, error) {
	signedAt, err := sourceDate(env)
	if err != nil {
		return nil, "", err
	}
	store, err := config.KeyStore()
	if err != nil {
		return nil, "", err
	}
	if key != "" {
		s, err := store.Signer(ctx, key)
		if err != nil {
			return nil, "", err
		}
		return s.Pack(signedAt), s.Name(), nil
	}
	s, created, err := store.Developer(ctx)
	if err != nil {
		return nil, "", err
	}
	if created {
		progress(env, "made the developer key "+s.Fingerprint()[:16]+" and trusted it on this machine")
	}
	return s.Pack(signedAt), s.Name(), nil
}

// sourceDate is SOURCE_DATE_EPOCH, or 1980 as in the archive itself.
func sourceDate(env *environment) (time.Time, error) {
	v := env.Getenv("SOURCE_DATE_EPOCH")
	if v == "" {
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n > 253402300799 {
		return time.Time{}, fault.Newf(fault.Invalid, "SOURCE_DATE_EPOCH", "%q is no count of seconds since 1970", v)
	}
	return time.Unix(n, 0).UTC(), nil
}

// inspectFile opens a pack file or folder without refusing it for trust.
func inspectFile(ctx context.Context, config *system.Config, file string) (*pack.Archive, loader.Report, error) {
	store, err := config.KeyStore()
	if err != nil {
		return nil, loader.Report{}, err
	}
	trusted, err := store.Trusted(ctx)
	if err != nil {
		return nil, loader.Report{}, err
	}
	policy := loader.Policy{Trusted: trusted, Limits: config.PackLimits(), Build: &build.Options{}}
	b, err := loader.Read(ctx, file, policy)
	if err != nil {
		return nil, loader.Report{}, err
	}
	a, report, err := loader.Inspect(ctx, b, policy)
	return a, report, fault.Wrap("pack "+file, err)
}

func writePack(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fault.As(fault.Unavailable, "write "+file, err)
	}
	return fault.As(fault.Unavailable, "write "+file, maybe.WriteFile(file, b, 0o644))
}

// progress says a step on standard error, one plain line each.
func progress(env *environment, step string) {
	if !env.JSON {
		fmt.Fprintln(env.Stderr, step)
	}
}

func printBuilt(env *environment, r builtPack) error {
	if env.JSON {
		if r.Findings == nil {
			r.Findings = []pack.Finding{}
		}
		return printJSON(env, r)
	}
	printFindings(env.Stderr, r.Findings)
	by := "not signed"
	if r.Key != "" {
		by = "signed with key " + r.Key
	}
	fmt.Fprintf(env.Stdout, "%s: %s %s, %d bytes, %s\n%s\n", r.File, r.ID, r.Version, r.Size, by, r.Digest)
	return nil
}
