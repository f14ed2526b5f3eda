package component

// Capabilities is what a component declares that it needs; nothing outside it is granted.
type Capabilities struct {
	Wasi WasiCapabilities `json:"wasi"`
	Host HostCapabilities `json:"host"`
}

// WasiCapabilities are the system interfaces.
type WasiCapabilities struct {
	Filesystem *Filesystem `json:"filesystem,omitempty"`
	Env        *Env        `json:"env,omitempty"`
	Random     bool        `json:"random"`
	Clocks     bool        `json:"clocks"`
}

// Filesystem is the file access a component declares.
type Filesystem struct {
	Mode   string  `json:"mode"` // none, read_only or sandbox
	Mounts []Mount `json:"mounts"`
}

// Mount is one folder a component declares.
type Mount struct {
	Name      string `json:"name"`
	HostClass string `json:"host_class"`
	GuestPath string `json:"guest_path"`
}

// Env lists the environment variables a component may see.
type Env struct {
	Allow []string `json:"allow"`
}

// HostCapabilities are the platform's interfaces; nil means not declared.
type HostCapabilities struct {
	Secrets   *SecretsCapability   `json:"secrets,omitempty"`
	State     *StateCapability     `json:"state,omitempty"`
	Messaging *DirectionCapability `json:"messaging,omitempty"`
	Events    *DirectionCapability `json:"events,omitempty"`
	HTTP      *HTTPCapability      `json:"http,omitempty"`
	Telemetry *TelemetryCapability `json:"telemetry,omitempty"`
	IaC       *IaCCapability       `json:"iac,omitempty"`
}

// SecretsCapability lists the secrets a component may read.
type SecretsCapability struct {
	Required []SecretRequirement `json:"required"`
}

// StateCapability is the use of the state store; Delete implies Write.
type StateCapability struct {
	Read   bool `json:"read"`
	Write  bool `json:"write"`
	Delete bool `json:"delete,omitempty"`
}

// DirectionCapability is traffic in and out.
type DirectionCapability struct {
	Inbound  bool `json:"inbound"`
	Outbound bool `json:"outbound"`
}

// HTTPCapability is the use of HTTP in either role.
type HTTPCapability struct {
	Client bool `json:"client"`
	Server bool `json:"server"`
}

// TelemetryCapability says how widely a component's telemetry is read: tenant, pack or node.
type TelemetryCapability struct {
	Scope string `json:"scope"`
}

// IaCCapability is infrastructure as code.
type IaCCapability struct {
	WriteTemplates bool `json:"write_templates"`
	ExecutePlans   bool `json:"execute_plans"`
}

// Names lists the capability names a pack manifest derives from c, in the ecosystem's order
// (formats digest 4.3).
func (c Capabilities) Names() []string {
	var names []string
	add := func(on bool, name string) {
		if on {
			names = append(names, name)
		}
	}
	h, w := c.Host, c.Wasi
	add(h.Secrets != nil, "host:secrets")
	add(h.State != nil && h.State.Read, "host:state:read")
	add(h.State != nil && (h.State.Write || h.State.Delete), "host:state:write")
	add(h.Messaging != nil && (h.Messaging.Inbound || h.Messaging.Outbound), "host:messaging")
	add(h.Events != nil && (h.Events.Inbound || h.Events.Outbound), "host:events")
	add(h.HTTP != nil && (h.HTTP.Client || h.HTTP.Server), "host:http")
	add(h.Telemetry != nil, "host:telemetry")
	add(h.IaC != nil && (h.IaC.WriteTemplates || h.IaC.ExecutePlans), "host:iac")
	if w.Filesystem != nil {
		add(true, "wasi:fs:"+w.Filesystem.Mode)
		add(len(w.Filesystem.Mounts) > 0, "wasi:fs:mounts")
	}
	add(w.Random, "wasi:random")
	add(w.Clocks, "wasi:clocks")
	return names
}
