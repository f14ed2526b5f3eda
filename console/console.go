package console

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
	"greentic.dev/model/flow/graph"
)

//go:embed static
var static embed.FS

//go:embed page.html
var pageText string

// policy is the content security policy of every page: everything from here, pictures of cards
// from anywhere over TLS, no inline script. Scripts may set element styles (CSSOM), as cards do.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; media-src https:; " +
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// graphStyle is the name of the style sheet for the graphs of flows.
const graphStyle = "graph.css"

// Options says what the pages show.
type Options struct {
	Title  string // heading of the chat page; default "Chat"
	Locale string // fixed language of the pages; empty follows the browser
	Dev    bool   // the chat page has the panel of greentic dev
	// Tenant finds a tenant by the name in a URL; false means it does not exist here.
	Tenant func(name string) (greentic.TenantCtx, bool)
}

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	options Options
	page    *template.Template
	version string            // of the static files together, for cache busting
	etags   map[string]string // by file name
}

// New prepares the pages.
func New(o Options) (*Console, error) {
	if o.Title == "" {
		o.Title = "Chat"
	}
	page, err := template.New("chat").Parse(pageText)
	if err != nil {
		return nil, fault.Wrap("console", err)
	}
	c := &Console{options: o, page: page, etags: map[string]string{}}
	entries, err := static.ReadDir("static")
	if err != nil {
		return nil, fault.Wrap("console", err)
	}
	var all strings.Builder
	for _, e := range entries {
		raw, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fault.Wrap("console", err)
		}
		d := greentic.DigestOf(raw)
		c.etags[e.Name()] = `"` + d.Short() + `"`
		all.WriteString(string(d))
	}
	d := greentic.DigestOf([]byte(graph.Style))
	c.etags[graphStyle] = `"` + d.Short() + `"`
	all.WriteString(string(d))
	c.version = greentic.DigestOf([]byte(all.String())).Short()
	return c, nil
}

// Routes are the pages and their files.
func (c *Console) Routes() []route.Route {
	page := func(p, resource string, h http.HandlerFunc) route.Route {
		return route.Route{Method: "GET", Path: p, Action: "read", Resource: resource, Auth: route.Public, Handler: h}
	}
	return []route.Route{
		page("/{$}", "page", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/chat", http.StatusFound) }),
		page("/chat", "page", c.chat),
		page("/chat/{tenant}", "page", c.chat),
		page("/static/{file}", "asset", c.file),
	}
}

type pageData struct {
	Title, Locale, Base, Tenant, Version string
	Fixed, Dev                           bool
}

func (c *Console) chat(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("tenant")
	tenant, ok := c.options.Tenant(name)
	if !ok {
		http.Error(w, "no such tenant", http.StatusNotFound)
		return
	}
	d := pageData{Title: c.options.Title, Locale: c.options.Locale, Base: "/v3/directline", Tenant: string(tenant.Tenant), Version: c.version, Fixed: c.options.Locale != "", Dev: c.options.Dev}
	if name != "" {
		d.Base = "/v1/messaging/webchat/" + name + d.Base
	}
	if d.Locale == "" {
		d.Locale = "en"
	}
	var b bytes.Buffer
	if err := c.page.Execute(&b, d); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(b.Bytes())
}

func (c *Console) file(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.PathValue("file"))
	tag, ok := c.etags[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == c.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if name == graphStyle {
		http.ServeContent(w, r, name, time.Time{}, strings.NewReader(graph.Style))
		return
	}
	http.ServeFileFS(w, r, static, "static/"+name)
}
