package systemtest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/testserver"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

// When this variable is set the test binary is a server; it holds a child as JSON.
const childVariable = "GREENTIC_TEST_CHILD"

// Servers of these tests, started when one wants them.
var (
	postgresServer testserver.Postgres
	redisServer    testserver.Redis
)

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(childVariable); ok {
		var c child
		err := json.Unmarshal([]byte(text), &c)
		if err == nil {
			err = c.serve()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if postgresServer.Close() != nil || redisServer.Close() != nil {
		code = 1
	}
	os.Exit(code)
}

// child is what a server process of these tests is told.
type child struct {
	Settings map[string]string // of greentic.yaml
	Pack     string            // folder
	Sink     string            // URL that gets the replies of the route "sink"
	Point    string            // of a turn; at the Nth time it is passed the process kills itself
	N        int64
	Disk     string // size of a file system of its own for the data folder, such as "8m"; empty: none
	Drift    bool   // POST /clock moves the clock
}

// serve runs the platform until it is asked to end by SIGTERM, or whoever started it is gone. It
// prints the address of the front door and that of its own door for tests.
func (c child) serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent
		os.Exit(3)
	}()
	var overrides []system.Override
	for key, value := range c.Settings {
		overrides = append(overrides, system.Override{Key: key, Value: value, Flag: key})
	}
	config, err := system.Load("", func(string) string { return "" }, overrides)
	if err != nil {
		return err
	}
	if err := c.mount(config.Data); err != nil {
		return err
	}
	var drift atomic.Int64
	s, err := system.Open(ctx, config, system.Options{Log: stderrLog(), Crash: c.crash(), Deliver: map[string]runner.Deliverer{sinkRoute: toSink{c.Sink}},
		Now: func() time.Time { return time.Now().Add(time.Duration(drift.Load())) }})
	if err != nil {
		return err
	}
	if _, err := s.Load(ctx, c.Pack); err != nil {
		return errors.Join(err, s.Close())
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	side, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	door := &http.Server{Handler: c.door(s, config.Data, &drift), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = door.Serve(side) }()
	err = s.Serve(ctx, front, func(url string) { fmt.Println(url, "http://"+side.Addr().String()) })
	return errors.Join(err, door.Close(), s.Close())
}

func (c child) crash() func(string) {
	if c.Point == "" {
		return nil
	}
	var passed atomic.Int64
	return func(at string) {
		if at == c.Point && passed.Add(1) == c.N {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

// door is what tests ask of a server process beyond its front door.
func (c child) door(s *system.System, data string, drift *atomic.Int64) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			http.Error(w, err.Error(), fault.KindOf(err).HTTPStatus())
			return
		}
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("POST /accept", func(w http.ResponseWriter, r *http.Request) {
		var t greentic.Trigger
		if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		receipt, err := s.Accept(r.Context(), t)
		answer(w, receipt, err)
	})
	if c.Drift {
		mux.HandleFunc("POST /clock", func(w http.ResponseWriter, r *http.Request) {
			d, err := time.ParseDuration(r.FormValue("by"))
			drift.Add(int64(d))
			answer(w, "ok", err)
		})
	}
	if c.Disk != "" {
		mux.HandleFunc("POST /disk", func(w http.ResponseWriter, r *http.Request) {
			answer(w, "ok", resize(data, r.FormValue("size")))
		})
	}
	return mux
}

// sinkRoute is the route whose replies go to the sink of a test.
const sinkRoute = "sink"

// toSink delivers replies as a connector would: with the idempotency key of each.
type toSink struct{ url string }

// arrived is a reply as the sink gets it.
type arrived struct {
	ID      string            `json:"id"`
	Tenant  string            `json:"tenant"`
	Key     string            `json:"key"`
	Turn    string            `json:"turn"`
	Text    string            `json:"text"`
	Header  map[string]string `json:"header"`
	Attempt int               `json:"attempt"`
}

func (d toSink) Deliver(ctx context.Context, o queue.Outgoing) error {
	raw, err := json.Marshal(arrived{o.ID, string(o.Tenant.Tenant), o.Key, o.Reply.Turn, o.Reply.Text, o.Header, o.Attempts})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/reply", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Idempotency-Key", o.ID)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fault.As(fault.Unavailable, "sink", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode/100 != 2 {
		return fault.Newf(fault.Unavailable, "sink", "it answers %d", resp.StatusCode)
	}
	return nil
}

// server is a killable server process.
type server struct {
	cmd   *exec.Cmd
	url   string // of the front door; empty while it starts, or when it ended before
	side  string // of the door for tests
	ready chan struct{}
	gone  chan struct{}
	stdin io.Closer
}

// launch starts a server process; it does not wait until it is ready.
func launch(c child, attributes *syscall.SysProcAttr, log io.Writer) (*server, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.Command(os.Args[0]), ready: make(chan struct{}), gone: make(chan struct{})}
	s.cmd.Env, s.cmd.Stderr, s.cmd.SysProcAttr = append(os.Environ(), childVariable+"="+string(raw)), log, attributes
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err == nil {
			s.url, s.side, _ = strings.Cut(strings.TrimSpace(line), " ")
			close(s.ready)
		}
		_ = s.cmd.Wait()
		close(s.gone)
	}()
	return s, nil
}

func startServer(t *testing.T, c child) *server {
	t.Helper()
	return startWith(t, c, nil)
}

func startWith(t *testing.T, c child, attributes *syscall.SysProcAttr) *server {
	t.Helper()
	s, err := launch(c, attributes, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	select {
	case <-s.ready:
	case <-s.gone:
		t.Fatalf("the server ended: %v", s.cmd.ProcessState)
	}
	return s
}

// kill ends the process as kill -9 does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// end asks the process to end and says whether it did so cleanly.
func (s *server) end(within time.Duration) error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.gone:
	case <-time.After(within):
		s.kill()
		return fmt.Errorf("process %d does not end within %v", s.cmd.Process.Pid, within)
	}
	if !s.cmd.ProcessState.Success() {
		return fmt.Errorf("process %d ended: %v", s.cmd.Process.Pid, s.cmd.ProcessState)
	}
	return nil
}

// killed says whether the process, which is gone, was ended by SIGKILL.
func (s *server) killed() bool {
	status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
