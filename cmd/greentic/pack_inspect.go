package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/model/trust"
	"greentic.dev/runtime/loader"
	"greentic.dev/system"
)

// packInspection is what `pack inspect --json` prints.
type packInspection struct {
	File          string               `json:"file"`
	Digest        string               `json:"digest"`
	Size          int64                `json:"size"` // bytes
	SchemaVersion string               `json:"schema_version"`
	ID            string               `json:"id"`
	Name          string               `json:"name"`
	Version       string               `json:"version"`
	Kind          string               `json:"kind"`
	Publisher     string               `json:"publisher"`
	Verified      bool                 `json:"verified"` // trusted signature over an intact archive
	Trust         trust.Report         `json:"trust"`
	Flows         []inspectedFlow      `json:"flows"`
	Components    []inspectedComponent `json:"components"`
	Dependencies  []inspectedNeed      `json:"dependencies"`
	Capabilities  []string             `json:"capabilities"`
	Secrets       []inspectedSecret    `json:"secrets"`
	Egress        []pack.EgressHost    `json:"egress"`
	Schedules     []pack.Schedule      `json:"schedules"`
	Subscriptions []pack.Subscription  `json:"subscriptions"`
	Locales       []string             `json:"locales"`
	Extensions    []string             `json:"extensions"`
	Files         []pack.FileInfo      `json:"files"`
	Findings      []pack.Finding       `json:"findings"`
}

type inspectedFlow struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"`
	Title       string            `json:"title,omitempty"`
	Tags        []string          `json:"tags"`
	Entrypoints map[string]string `json:"entrypoints"` // name -> node
	Nodes       int               `json:"nodes"`
}

type inspectedComponent struct {
	ID           string   `json:"id"`
	Version      string   `json:"version,omitempty"`
	World        string   `json:"world,omitempty"`
	Path         string   `json:"path,omitempty"`   // in the archive; absent when it must be fetched
	Source       string   `json:"source,omitempty"` // where it comes from
	Digest       string   `json:"digest,omitempty"` // what pins it
	Operations   []string `json:"operations"`
	Capabilities []string `json:"capabilities"`
}

type inspectedNeed struct {
	Alias      string `json:"alias"`
	PackID     string `json:"pack_id"`
	VersionReq string `json:"version_req"`
}

type inspectedSecret struct {
	Key         string `json:"key"`
	Required    bool   `json:"required"`
	Description string `json:"description,omitempty"`
}

func packInspectCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE|DIR",
		Short:   "Show what is in a pack; never refuses for trust",
		Example: "  greentic pack inspect helpdesk.gtpack --json",
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
			r := inspectPack(args[0], a, report)
			if env.JSON {
				return printJSON(env, r)
			}
			return printPack(env.Stdout, r)
		},
	}
}

func packVerifyCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "verify FILE",
		Short:   "Check signature and bill of materials against the trust store; exit code 7 when they do not hold",
		Example: "  greentic pack verify helpdesk.gtpack",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := system.Load(env.ConfigFile, env.Getenv, nil)
			if err != nil {
				return err
			}
			store, err := config.KeyStore()
			if err != nil {
				return err
			}
			trusted, err := store.Trusted(c.Context())
			if err != nil {
				return err
			}
			_, report, err := loader.Load(c.Context(), args[0], loader.Policy{Trusted: trusted, Limits: config.PackLimits()})
			if report.Digest == "" {
				return err
			}
			if env.JSON {
				if perr := printJSON(env, report); perr != nil {
					return perr
				}
				return err
			}
			printFindings(env.Stderr, report.Findings)
			if err == nil {
				fmt.Fprintf(env.Stdout, "verified: %s\n%s\n", report.Trust.Reason, report.Digest)
			}
			return err
		},
	}
}

func inspectPack(file string, a *pack.Archive, report loader.Report) packInspection {
	m := a.Manifest()
	r := packInspection{
		File: file, Digest: string(a.Digest()), Size: a.Size(), SchemaVersion: m.SchemaVersion, ID: a.ID(), Name: a.Name(),
		Version: a.Version(), Kind: a.Kind(), Publisher: m.Publisher, Verified: report.Verified, Trust: report.Trust,
		Flows: []inspectedFlow{}, Components: []inspectedComponent{}, Dependencies: []inspectedNeed{}, Capabilities: []string{},
		Secrets: []inspectedSecret{}, Egress: append([]pack.EgressHost{}, a.Egress()...), Locales: append([]string{}, a.Locales()...),
		Extensions: slices.AppendSeq([]string{}, maps.Keys(m.Extensions)), Files: a.Files(), Findings: report.Findings,
	}
	slices.Sort(r.Extensions)
	schedules, subscriptions := a.Events()
	r.Schedules, r.Subscriptions = append([]pack.Schedule{}, schedules...), append([]pack.Subscription{}, subscriptions...)
	for _, f := range a.Flows() {
		flow := inspectedFlow{
			ID: f.ID, Kind: string(f.Kind), Title: f.Title, Tags: append([]string{}, a.Tags(f.ID)...),
			Entrypoints: map[string]string{}, Nodes: len(f.Nodes),
		}
		maps.Copy(flow.Entrypoints, f.Entrypoints)
		r.Flows = append(r.Flows, flow)
	}
	for _, c := range a.Components() {
		i := inspectedComponent{ID: c.ID, Version: c.Version, World: c.World, Path: c.Path, Source: c.Source, Digest: string(c.Digest),
			Operations: []string{}, Capabilities: []string{}}
		if c.Manifest != nil {
			for _, op := range c.Manifest.Operations {
				i.Operations = append(i.Operations, op.Name)
			}
			i.Capabilities = append(i.Capabilities, c.Manifest.Capabilities.Names()...)
		}
		r.Components = append(r.Components, i)
	}
	for _, d := range m.Dependencies {
		r.Dependencies = append(r.Dependencies, inspectedNeed{d.Alias, d.PackID, d.VersionReq})
	}
	for _, c := range m.Capabilities {
		r.Capabilities = append(r.Capabilities, c.Name)
	}
	for _, s := range a.SecretRequirements() {
		r.Secrets = append(r.Secrets, inspectedSecret{s.Key, s.Required, s.Description})
	}
	return r
}

func printPack(out io.Writer, r packInspection) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(what string, value any) { fmt.Fprintf(w, "%s\t%v\n", what, value) }
	row("pack", r.ID+" "+r.Version+" ("+r.Kind+")")
	if r.Name != r.ID {
		row("name", r.Name)
	}
	row("publisher", r.Publisher)
	row("digest", r.Digest)
	row("size", fmt.Sprintf("%d bytes in %d files", r.Size, len(r.Files)))
	row("verified", yes(r.Verified)+": "+r.Trust.Reason)
	for _, f := range r.Flows {
		row("flow", fmt.Sprintf("%s (%s), %d nodes %s", f.ID, f.Kind, f.Nodes, strings.Join(f.Tags, " ")))
	}
	for _, c := range r.Components {
		where := c.Path
		if where == "" {
			where = "not in the pack"
		}
		row("component", fmt.Sprintf("%s %s, %s %s", c.ID, c.Version, where, strings.Join(c.Operations, " ")))
	}
	for _, d := range r.Dependencies {
		row("needs", d.PackID+" "+d.VersionReq)
	}
	for _, s := range r.Secrets {
		row("secret", s.Key+" "+s.Description)
	}
	for _, h := range r.Egress {
		row("host", h.Host)
	}
	for _, s := range r.Schedules {
		row("runs "+s.Flow, strings.TrimSpace(s.Cron+" "+s.Zone))
	}
	for _, s := range r.Subscriptions {
		row("runs "+s.Flow, "on "+strings.Join(s.Topics, " "))
	}
	if len(r.Locales) > 0 {
		row("texts", strings.Join(r.Locales, " "))
	}
	if err := w.Flush(); err != nil {
		return fault.Wrap("print", err)
	}
	printFindings(out, r.Findings)
	return nil
}

func printFindings(out io.Writer, list []pack.Finding) {
	for _, f := range list {
		fmt.Fprintln(out, f)
	}
}
