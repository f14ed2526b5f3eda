package testserver

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Wire stands between a client and a server and can break at the worst moment.
type Wire struct {
	url      string
	address  string
	listener net.Listener
	pumps    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	armed []byte // what the client will send when the wire breaks
	after bool   // once the server has answered, instead of before it hears
	cut   int
}

const redisScheme = "redis+unix://"

// NewWire forwards to the server behind a URL of Postgres or Redis; the test closes it.
func NewWire(t testing.TB, url string) *Wire {
	t.Helper()
	w := &Wire{conns: map[net.Conn]bool{}}
	own, err := os.MkdirTemp("", "wire") // short enough for a socket, which t.TempDir may not be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(own) })
	if before, query, ok := strings.Cut(url, "?host="); ok {
		dir, rest, _ := strings.Cut(query, "&")
		const socket = ".s.PGSQL.5432"
		w.address, w.url = filepath.Join(dir, socket), before+"?host="+own+"&"+rest
		w.listener, err = net.Listen("unix", filepath.Join(own, socket))
	} else {
		address, query, _ := strings.Cut(strings.TrimPrefix(url, redisScheme), "?")
		w.address, w.url = address, redisScheme+filepath.Join(own, "redis.sock")+"?"+query
		w.listener, err = net.Listen("unix", filepath.Join(own, "redis.sock"))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.pumps.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

// URL is that of the server, through the wire.
func (w *Wire) URL() string { return w.url }

// Break breaks every connection when the client next sends the text: before the server hears it,
// or after it has answered and before the client hears that.
func (w *Wire) Break(text string, answered bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed, w.after = []byte(text), answered
}

// Broken is how often the wire broke.
func (w *Wire) Broken() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

func (w *Wire) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	w.drop()
	w.mu.Unlock()
	w.pumps.Wait()
}

// drop closes all connections.
func (w *Wire) drop() {
	for c := range w.conns {
		_ = c.Close()
	}
	clear(w.conns)
}

func (w *Wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", w.address)
		if err != nil {
			_ = client.Close()
			continue
		}
		w.mu.Lock()
		w.conns[client], w.conns[server] = true, true
		w.mu.Unlock()
		sent := &sent{}
		w.pumps.Go(func() { w.pump(client, server, func(b []byte) error { return w.asked(sent, b) }) })
		w.pumps.Go(func() { w.pump(server, client, func([]byte) error { return w.answered(sent) }) })
	}
}

// sent says that the text has gone to the server on this connection.
type sent struct{ waiting bool }

var errCut = errors.New("the wire broke")

func (w *Wire) asked(s *sent, b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.armed) == 0 || !bytes.Contains(b, w.armed) {
		return nil
	}
	w.armed = nil
	if w.after {
		s.waiting = true
		return nil
	}
	return w.breaks()
}

func (w *Wire) answered(s *sent) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !s.waiting {
		return nil
	}
	return w.breaks()
}

func (w *Wire) breaks() error {
	w.cut++
	w.drop()
	return errCut
}

// pump moves bytes one way until an end closes or look objects.
func (w *Wire) pump(from, to net.Conn, look func([]byte) error) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if look(buf[:n]) != nil {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
