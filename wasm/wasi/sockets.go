package wasi

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// network is the handle instance-network gives; nothing can be done with it.
type network struct{}

// sockets links wasi:sockets so that guests which carry it run; creating a socket and
// resolving a name answer access-denied, so no socket ever exists and its methods trap.
func sockets() []*link.Interface {
	denied := answer(canon.Err(enum("access-denied")))
	tcp := methods("tcp-socket", nil,
		"start-bind", "finish-bind", "start-connect", "finish-connect", "start-listen", "finish-listen", "accept",
		"local-address", "remote-address", "is-listening", "address-family", "set-listen-backlog-size",
		"keep-alive-enabled", "set-keep-alive-enabled", "keep-alive-idle-time", "set-keep-alive-idle-time",
		"keep-alive-interval", "set-keep-alive-interval", "keep-alive-count", "set-keep-alive-count",
		"hop-limit", "set-hop-limit", "receive-buffer-size", "set-receive-buffer-size",
		"send-buffer-size", "set-send-buffer-size", "subscribe", "shutdown")
	udp := methods("udp-socket", nil,
		"start-bind", "finish-bind", "stream", "local-address", "remote-address", "address-family",
		"unicast-hop-limit", "set-unicast-hop-limit", "receive-buffer-size", "set-receive-buffer-size",
		"send-buffer-size", "set-send-buffer-size", "subscribe")
	udp = methods("incoming-datagram-stream", udp, "receive", "subscribe")
	udp = methods("outgoing-datagram-stream", udp, "check-send", "send", "subscribe")
	lookup := methods("resolve-address-stream", map[string]link.Func{"resolve-addresses": denied}, "resolve-next-address", "subscribe")
	return []*link.Interface{
		Face("sockets/network", map[string]link.Func{"network-error-code": answer(canon.Option{})}, "network"),
		Face("sockets/instance-network", map[string]link.Func{"instance-network": answer(own(network{}))}),
		Face("sockets/ip-name-lookup", lookup, "resolve-address-stream"),
		Face("sockets/tcp-create-socket", map[string]link.Func{"create-tcp-socket": denied}),
		Face("sockets/udp-create-socket", map[string]link.Func{"create-udp-socket": denied}),
		Face("sockets/tcp", tcp, "tcp-socket"),
		Face("sockets/udp", udp, "udp-socket", "incoming-datagram-stream", "outgoing-datagram-stream"),
	}
}

// methods adds the methods of a resource that can never be obtained.
func methods(resource string, to map[string]link.Func, names ...string) map[string]link.Func {
	if to == nil {
		to = make(map[string]link.Func, len(names))
	}
	for _, name := range names {
		to["[method]"+resource+"."+name] = Func(func(c *Call) any {
			return c.Trapf(fault.Denied, "sockets", "%s.%s: there are no sockets", resource, name)
		})
	}
	return to
}
