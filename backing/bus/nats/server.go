package nats

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"greentic.dev/greentic/fault"
)

// startServer runs JetStream in this process: no port, no signal handlers, every write synced.
func startServer(dir string, log *slog.Logger) (*server.Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.As(fault.Unavailable, "bus", err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "greentic", DontListen: true, NoSigs: true, MaxPayload: 4 << 20,
		JetStream: true, StoreDir: dir, SyncAlways: true, JetStreamMaxMemory: 1 << 20, JetStreamMaxStore: 1 << 50, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fault.As(fault.Unavailable, "bus", err)
	}
	s.SetLoggerV2(serverLog{log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(10*time.Second) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fault.Newf(fault.Unavailable, "bus", "the server did not start; is another process using %s?", dir)
	}
	return s, nil
}

// serverLog passes on what an operator must know.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Warnf(format string, args ...any) {
	l.log.Warn("bus: " + fmt.Sprintf(format, args...))
}
func (l serverLog) Errorf(format string, args ...any) {
	l.log.Error("bus: " + fmt.Sprintf(format, args...))
}
func (l serverLog) Fatalf(format string, args ...any) { l.Errorf(format, args...) }
func (serverLog) Noticef(string, ...any)              {}
func (serverLog) Debugf(string, ...any)               {}
func (serverLog) Tracef(string, ...any)               {}
