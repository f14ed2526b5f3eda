package host

import (
	"context"

	"greentic.dev/greentic"
)

// Kept says whether instances of c are kept between calls, by calling describe of an interface
// that Describe named, for an owner of its own. If they are not, every call makes a fresh one.
// Errors are those of Invoke.
func (c *Component) Kept(ctx context.Context, iface string) (bool, error) {
	inv := &invocation{host: c.host, tenant: greentic.DefaultTenant(), request: &Request{Component: c.name}, component: c.name, owner: "kept", origin: c.host.origin()}
	_, stats, err := c.call(ctx, inv, iface, "describe", nil)
	if err != nil {
		return false, inv.clean("component "+c.name, err)
	}
	return stats.Kept, nil
}
