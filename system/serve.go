package system

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/env"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
)

// openSecrets opens the backend that the configuration's URL names. Values of the command line
// replace it: they are for this process and its tenant.
func (s *System) openSecrets(ctx context.Context) (secrets.Store, error) {
	if len(s.options.Secrets) > 0 {
		store := memory.New()
		for key, value := range s.options.Secrets {
			if err := store.Put(ctx, s.Tenant(), secrets.Name{Key: key}, []byte(value)); err != nil {
				return nil, fault.Wrap("--secret", err)
			}
		}
		return store, nil
	}
	switch s.config.Secrets {
	case "env:":
		return env.New(os.LookupEnv), nil
	case "memory:":
		return memory.New(), nil
	}
	return nil, fault.Newf(fault.Invalid, "secrets", "%q is no secrets backend of this version", s.config.Secrets).WithFix("use env: or memory:")
}

// operations are the routes of the process itself.
func (s *System) operations() []route.Route {
	say := func(w http.ResponseWriter, code int, status string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"status":"` + status + `"}` + "\n"))
	}
	health := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	ready := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.runner.Status().Draining {
			say(w, http.StatusServiceUnavailable, "draining")
			return
		}
		say(w, http.StatusOK, "ok")
	})
	return []route.Route{
		{Method: "GET", Path: "/healthz", Action: "read", Resource: "health", Auth: route.Public, Handler: health},
		{Method: "GET", Path: "/readyz", Action: "read", Resource: "health", Auth: route.Public, Handler: ready},
	}
}

// Serve serves on l until ctx ends, then drains: new messages are refused, running turns finish
// and their replies are delivered, streams are closed, requests end. ready is called with the
// address once requests are answered; it may be nil.
func (s *System) Serve(ctx context.Context, l net.Listener, ready func(url string)) error {
	handler, err := s.Handler()
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	url := "http://" + l.Addr().String()
	if err := s.folder.announce(url); err != nil {
		s.options.Log.Warn("commands will not find this server", "error", err)
	}
	if ready != nil {
		ready(url)
	}
	var served error
	select {
	case <-ctx.Done():
	case served = <-failed:
	}
	drained := s.drainAloud(ctx)
	s.webchat.Close()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	stopped := server.Shutdown(stop)
	if served == nil {
		served = <-failed
	}
	if errors.Is(served, http.ErrServerClosed) {
		served = nil
	}
	return fault.Wrap("serve", errors.Join(served, drained, stopped))
}

// drainAloud is Drain that says every second what still runs.
func (s *System) drainAloud(ctx context.Context) error {
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(ctx) }()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		now := s.runner.Status()
		s.options.Log.Info("draining", "turns", now.Turns.Running, "deliveries", now.Deliveries.Running)
		if s.options.Draining != nil {
			s.options.Draining(now.Turns.Running, now.Deliveries.Running)
		}
		select {
		case err := <-drained:
			return err
		case <-second.C:
		}
	}
}
