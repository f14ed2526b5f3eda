package system

import (
	"path/filepath"
	"strings"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/memory"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/greentic/fault"
)

// openBus opens the event bus that the configuration's URL names. It costs nothing until something
// is published or subscribed; then the server of "embedded:" starts in this process.
func (s *System) openBus() (bus.Bus, error) {
	o := nats.Options{Log: s.options.Log}
	scheme, _, _ := strings.Cut(s.config.Bus, ":")
	switch {
	case scheme == "memory" || s.options.Ephemeral && (s.config.Bus == "" || scheme == "embedded"):
		return memory.New(memory.Options{}), nil
	case s.config.Bus == "" || s.config.Bus == "embedded:":
		o.Dir = filepath.Join(s.config.Data, "bus")
	case scheme == "nats" || scheme == "tls":
		o.URL = s.config.Bus
	default:
		return nil, fault.Newf(fault.Invalid, "bus", "%q is no bus of this version", scheme+":").WithFix("use embedded:, memory: or nats://host:port")
	}
	b, err := nats.Open(o)
	if err != nil {
		return nil, err
	}
	return b, nil
}
