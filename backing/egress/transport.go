package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"greentic.dev/greentic"
)

// maxPools bounds how many tenants keep idle connections.
const maxPools = 64

// poolKey says who may share connections: the tenant, with or without checked certificates.
type poolKey struct {
	env      greentic.EnvID
	tenant   greentic.TenantID
	insecure bool
}

type pool struct {
	transport *http.Transport
	used      uint64
}

func (c *Client) transport(tenant greentic.TenantCtx, insecure bool) *http.Transport {
	key := poolKey{tenant.Env, tenant.Tenant, insecure}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	p := c.pools[key]
	if p == nil {
		if len(c.pools) >= maxPools {
			c.dropOldest()
		}
		p = &pool{transport: c.newTransport(insecure)}
		c.pools[key] = p
	}
	p.used = c.clock
	return p.transport
}

// way is what carries a request.
func (c *Client) way(tenant greentic.TenantCtx, insecure bool) http.RoundTripper {
	if c.opts.Transport != nil {
		return c.opts.Transport
	}
	return c.transport(tenant, insecure)
}

func (c *Client) dropOldest() {
	var oldest poolKey
	var found *pool
	for key, p := range c.pools {
		if found == nil || p.used < found.used {
			oldest, found = key, p
		}
	}
	found.transport.CloseIdleConnections()
	delete(c.pools, oldest)
}

// Close ends idle connections. Requests under way finish; later ones open new connections.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, p := range c.pools {
		p.transport.CloseIdleConnections()
		delete(c.pools, key)
	}
	return nil
}

func (c *Client) newTransport(insecure bool) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // a proxy would hide the address from the guard
		DialContext:            c.dial,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{RootCAs: c.opts.RootCAs, InsecureSkipVerify: insecure, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxIdleConns:           32,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ExpectContinueTimeout:  time.Second,
	}
}

// dial connects through the address guard. A literal or localhost comes here only when a
// grant names it, so it may be what it is; every other name must resolve to public addresses.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 10 * time.Second, Resolver: c.opts.Resolver}
	switch host = canonicalHost(host); {
	case host == "localhost":
		d.Control = onlyLoopback
	case !isLiteral(host):
		d.Control = ssrf.New(ssrf.WithAnyPort()).Safe
	}
	return d.DialContext(ctx, network, address)
}

func onlyLoopback(_, address string, _ syscall.RawConn) error {
	if a, err := netip.ParseAddrPort(address); err != nil || !a.Addr().IsLoopback() {
		return ssrf.ErrProhibitedIP
	}
	return nil
}

func isProhibited(err error) bool {
	return errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedNetwork) || errors.Is(err, ssrf.ErrInvalidHostPort)
}
