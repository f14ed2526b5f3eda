package pack

import (
	"strings"
)

// ExtEgress is the extension that lists the hosts a pack wants to reach (decisions 29).
const ExtEgress = "greentic.egress.v1"

// EgressHost is a host the pack asks to reach. It grants nothing.
type EgressHost struct {
	Host    string   `json:"host"`              // a name or address, lower case, without port
	Ports   []int    `json:"ports,omitempty"`   // empty: 443 and 80 as the scheme says
	Methods []string `json:"methods,omitempty"` // upper case; empty: all
}

// Egress lists the hosts of the extension greentic.egress.v1; none when the pack has no such
// extension or it cannot be read.
func (a *Archive) Egress() []EgressHost {
	hosts, _ := a.egress()
	return hosts
}

func (a *Archive) egress() ([]EgressHost, []Finding) {
	inline := a.manifest.Extension(ExtEgress)
	if inline == nil {
		return nil, nil
	}
	var doc struct {
		Hosts []EgressHost `json:"hosts"`
	}
	broken := func(format string, args ...any) ([]EgressHost, []Finding) {
		f := found(Error, "PACK_EGRESS_INVALID", manifestPath, format, args...)
		return nil, []Finding{f.hint("the pack may reach no host until this is repaired")}
	}
	if err := convert(inline, &doc); err != nil {
		return broken("%s: %v", ExtEgress, err)
	}
	for i := range doc.Hosts {
		h := &doc.Hosts[i]
		h.Host = strings.ToLower(h.Host)
		if h.Host == "" || strings.ContainsAny(h.Host, "/@ \t\r\n") {
			return broken("%s: %q is no host", ExtEgress, h.Host)
		}
		for _, p := range h.Ports {
			if p < 1 || p > 65535 {
				return broken("%s: host %s: %d is no port", ExtEgress, h.Host, p)
			}
		}
		for j := range h.Methods {
			h.Methods[j] = strings.ToUpper(h.Methods[j])
		}
	}
	return doc.Hosts, nil
}
