package egress

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
)

// Grant lets requests go to one host. The JSON form is an entry of the pack extension
// greentic.egress.v1. The zero value allows nothing.
type Grant struct {
	Host     string   `json:"host"`               // name, "*.example.com" (any name below), IP literal, or "localhost"
	Ports    []uint16 `json:"ports,omitempty"`    // empty: the scheme's own, 443 or 80
	Methods  []string `json:"methods,omitempty"`  // upper case; empty: all
	Insecure bool     `json:"insecure,omitempty"` // a request may ask to skip the check of the TLS certificate
}

// ParseGrant reads the command-line form HOST or HOST:PORT, with an IPv6 literal in brackets
// when a port follows. The error is fault.Invalid.
func ParseGrant(s string) (Grant, error) {
	if strings.Contains(s, "/") {
		return Grant{}, fault.Newf(fault.Invalid, "grant", "%q is no host", s).WithFix("write HOST or HOST:PORT, without scheme and path")
	}
	g := Grant{Host: s}
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err != nil {
		if host, port, ok := cutPort(s); ok {
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil || n == 0 {
				return Grant{}, fault.Newf(fault.Invalid, "grant "+s, "%q is no port", port)
			}
			g = Grant{Host: host, Ports: []uint16{uint16(n)}}
		}
	}
	return g, g.Check()
}

func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// Check reports a host pattern or method that can never match. The error is fault.Invalid.
func (g Grant) Check() error {
	host := canonicalHost(strings.TrimPrefix(g.Host, "*."))
	if _, err := netip.ParseAddr(host); err == nil && !strings.HasPrefix(g.Host, "*.") {
		return nil
	}
	if host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return fault.Newf(fault.Invalid, "grant", "%q is no host", g.Host).WithFix("write a host name, *.domain or an IP address, with :PORT if it is not 443 or 80")
	}
	for _, m := range g.Methods {
		if m != strings.ToUpper(m) || m == "" {
			return fault.Newf(fault.Invalid, "grant "+g.Host, "%q is no upper-case method", m)
		}
	}
	return nil
}

// local says whether g names an address of its own choosing, which the address guard then
// lets pass: an IP literal or localhost.
func (g Grant) local() bool { return isLiteral(canonicalHost(g.Host)) }

func (g Grant) allows(t target) bool {
	if !hostMatches(g.Host, t.host) {
		return false
	}
	if len(g.Ports) == 0 && t.port != defaultPort(t.scheme) || len(g.Ports) > 0 && !slices.Contains(g.Ports, t.port) {
		return false
	}
	return len(g.Methods) == 0 || slices.Contains(g.Methods, t.method)
}

// hostMatches compares a pattern with a canonical host. A wildcard never matches a literal.
func hostMatches(pattern, host string) bool {
	if domain, ok := strings.CutPrefix(pattern, "*."); ok {
		return !isLiteral(host) && strings.HasSuffix(host, "."+canonicalHost(domain))
	}
	return canonicalHost(pattern) == host
}

// target is what a request wants to reach, in canonical form.
type target struct {
	scheme, host, method string
	port                 uint16
}

// targetOf reads where u points. Its errors never quote u.
func targetOf(method string, u *url.URL) (target, error) {
	t := target{scheme: u.Scheme, host: canonicalHost(u.Hostname()), method: method, port: defaultPort(u.Scheme)}
	switch {
	case t.port == 0:
		return t, fault.New(fault.Invalid, "http", "the URL has no http or https scheme")
	case t.host == "":
		return t, fault.New(fault.Invalid, "http", "the URL has no host")
	case strings.Trim(t.host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:") != "":
		return t, fault.New(fault.Invalid, "http", "the URL's host has characters that are not allowed; write international names in their xn-- form")
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return t, fault.New(fault.Invalid, "http "+t.host, "the URL's port is out of range")
		}
		t.port = uint16(n)
	}
	return t, nil
}

func defaultPort(scheme string) uint16 {
	switch scheme {
	case "https":
		return 443
	case "http":
		return 80
	}
	return 0
}

// canonicalHost is lower case, without brackets and root dot, an IP literal in its shortest form.
func canonicalHost(h string) string {
	h = strings.ToLower(strings.TrimSuffix(strings.Trim(h, "[]"), "."))
	if ip, err := netip.ParseAddr(h); err == nil && ip.Zone() == "" {
		return ip.Unmap().String()
	}
	return h
}

func isLiteral(canonical string) bool {
	_, err := netip.ParseAddr(canonical)
	return err == nil || canonical == "localhost"
}
