package pack

// extProviders is the extension that lists the providers of a pack (formats digest 4.4).
const extProviders = "greentic.provider-extension.v1"

// Provider is a component of the pack that speaks to one sort of system.
type Provider struct {
	Type      string   // such as messaging.slack.api
	ID        string   // of this instance; or empty
	Component string   // that carries its operations out
	Ops       []string // its operations, when they are listed
}

// Providers lists the providers of the extension greentic.provider-extension.v1; what it cannot read
// is left out.
func (a *Archive) Providers() []Provider {
	var doc struct {
		Providers []struct {
			Type    string   `json:"provider_type"`
			ID      string   `json:"provider_id"`
			Ops     []string `json:"ops"`
			Runtime struct {
				Component string `json:"component_ref"`
			} `json:"runtime"`
		} `json:"providers"`
	}
	if inline := a.manifest.Extension(extProviders); inline == nil || convert(inline, &doc) != nil {
		return nil
	}
	var list []Provider
	for _, p := range doc.Providers {
		if p.Runtime.Component != "" {
			list = append(list, Provider{p.Type, p.ID, p.Runtime.Component, p.Ops})
		}
	}
	return list
}
