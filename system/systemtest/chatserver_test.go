package systemtest_test

import (
	"context"
	"net"
	"testing"

	"greentic.dev/system"
)

// chatServer serves the helpdesk in this process. It can be stopped and started again: on the
// same data folder and the same port, as after a restart of the machine.
type chatServer struct {
	testing.TB
	url    string
	config *system.Config
	pack   string
	end    func()
}

func serveHelpdesk(t testing.TB) *chatServer {
	t.Helper()
	s := &chatServer{TB: t, config: testConfig(t), pack: helpdeskFolder(t)}
	s.config.Listen = "127.0.0.1:0"
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *chatServer) start() {
	s.Helper()
	running := openSystem(s, s.config, system.Options{}, s.pack)
	l, err := net.Listen("tcp", s.config.Listen)
	if err != nil {
		s.Fatal(err)
	}
	s.config.Listen = l.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- running.Serve(ctx, l, func(url string) { ready <- url }) }()
	s.end = func() {
		s.Helper()
		cancel()
		if err := <-served; err != nil {
			s.Errorf("serving: %v", err)
		}
		if err := running.Close(); err != nil {
			s.Errorf("closing: %v", err)
		}
	}
	select {
	case s.url = <-ready:
	case err := <-served:
		served <- err
		s.Fatalf("the server ended: %v", err)
	}
}

// stop drains and closes; stopping twice is stopping once.
func (s *chatServer) stop() {
	s.Helper()
	if s.end != nil {
		s.end()
	}
	s.end = nil
}
