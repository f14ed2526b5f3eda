package system

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"greentic.dev/gateway"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/operate"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

// operator is the operations on this process.
func (s *System) operator() *operate.API {
	return operate.New(operate.Deps{DB: s.db, Bus: s.bus, Runner: s.runner, Releases: s.releases, Tenant: s.Tenant(), Now: time.Now, NewID: newID, Log: s.options.Log,
		Load: func(ctx context.Context, path string) (*loader.Verified, error) {
			policy, err := s.trust(ctx)
			if err != nil {
				return nil, err
			}
			v, _, err := loader.Load(ctx, path, policy)
			return v, err
		}})
}

// Operator calls the operations of a data folder: those of the server that runs on it, or the same
// routes in this process when none does.
type Operator struct {
	base   string
	token  string
	client *http.Client
	system *System // nil: a server runs
}

// OpenOperator finds the way to the operations of the configured data folder. Without a server this
// process holds the folder until Close. Errors: fault.NotFound for a folder that no greentic process
// has used, fault.Conflict when a process that serves nobody holds it, and those of the store.
func OpenOperator(ctx context.Context, c *Config, o Options) (*Operator, error) {
	if _, err := os.Stat(filepath.Join(c.Data, "operator.token")); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "data folder "+c.Data, "no greentic process has used it").WithFix("name the folder of the server with --data")
	}
	s := &System{config: c, options: o}
	err := s.openStill(ctx)
	if fault.Is(err, fault.Conflict) && s.folder == nil { // somebody holds the folder
		if server, serr := FindServer(c.Data); serr == nil {
			return &Operator{base: server.URL, token: server.Token, client: &http.Client{Timeout: time.Minute}}, nil
		}
		return nil, fault.New(fault.Conflict, "data folder "+c.Data, "a greentic process is using it that does not serve (yet)").WithFix("try again when it serves or has ended")
	}
	if err != nil {
		if cerr := s.Close(); cerr != nil {
			return nil, errors.Join(err, cerr)
		}
		return nil, err
	}
	front, err := gateway.New(gateway.Options{Token: s.folder.token(), Log: o.Log}, s.operator().Routes())
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Operator{base: "http://127.0.0.1", token: s.folder.token(), client: &http.Client{Transport: inProcess{front}}, system: s}, nil
}

// openStill opens what the operations need and starts nothing: no turn runs, and a component only
// in a replay.
func (s *System) openStill(ctx context.Context) (err error) {
	if s.folder, err = openFolder(s.config.Data); err != nil {
		return err
	}
	if s.db, err = s.openStore(ctx); err != nil {
		return err
	}
	if s.bus, err = s.openBus(); err != nil {
		return err
	}
	if err := s.openEngine(ctx); err != nil {
		return err
	}
	policy := loader.Policy{AllowUnsignedUnsafe: s.config.AllowUnsignedUnsafe, Limits: s.config.PackLimits()}
	store, err := s.config.KeyStore()
	if err != nil {
		return err
	}
	if policy.Trusted, err = store.Trusted(ctx); err != nil {
		return err
	}
	s.releases = release.New(host.New(host.Deps{Engine: s.engine, Log: s.options.Log}, host.Options{}), loader.NewStore(filepath.Join(s.config.Data, "packs")), policy, nil)
	s.runner = runner.New(runner.Deps{DB: s.db, Releases: s.releases, Log: s.options.Log, Now: time.Now, NewID: newID}, runner.Options{})
	return nil
}

// Close gives the data folder back, if this process holds it.
func (o *Operator) Close() error {
	if o.system == nil {
		return nil
	}
	return o.system.Close()
}

// Segment makes a key fit for one segment of a path.
func Segment(key string) string {
	if key == "." || key == ".." {
		return strings.ReplaceAll(key, ".", "%2E")
	}
	return url.PathEscape(key)
}

// maxAnswer bounds an answer of the operations.
const maxAnswer = 256 << 20

// Call makes one request; in and out are JSON values, nil for none. A refusal is the fault that the
// server describes, with its code and its fix.
func (o *Operator) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fault.Wrap("operate", err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, o.base+path, body)
	if err != nil {
		return fault.As(fault.Invalid, "operate", err)
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	answer, err := o.client.Do(r)
	if err != nil {
		return (&fault.Error{Kind: fault.Unavailable, Op: "operate", Err: err}).WithFix("is the server that uses the data folder still running?")
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return fault.As(fault.Unavailable, "operate", err)
	case answer.StatusCode >= 300:
		return refusal(answer.StatusCode, raw)
	case out == nil || len(raw) == 0:
		return nil
	}
	return fault.As(fault.Internal, "operate", json.Unmarshal(raw, out))
}

// refusal is the failure in an answer.
func refusal(status int, raw []byte) error {
	var b struct {
		Error struct{ Kind, Code, Message, Fix string } `json:"error"`
	}
	if json.Unmarshal(raw, &b) == nil {
		for _, k := range fault.Kinds() {
			if k.String() == b.Error.Kind {
				return fault.New(k, "", b.Error.Message).WithCode(b.Error.Code).WithFix(b.Error.Fix)
			}
		}
	}
	return fault.Newf(fault.Unavailable, "operate", "the server answers %d", status)
}

// inProcess hands requests to a handler in this process.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr = "127.0.0.1:0"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &memoryResponse{header: http.Header{}, status: http.StatusOK}
	p.handler.ServeHTTP(w, in)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

type memoryResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *memoryResponse) Header() http.Header         { return w.header }
func (w *memoryResponse) WriteHeader(status int)      { w.status = status }
func (w *memoryResponse) Write(b []byte) (int, error) { return w.body.Write(b) }
