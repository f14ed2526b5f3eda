package interfaces

import "embed"

// FS holds the WIT packages, one file per package and version: "http-1.1.0.wit".
//
//go:embed *.wit
var FS embed.FS

// The interfaces a component may export to be run, in the order they are preferred.
const (
	Node       = "greentic:component/node@0.6.0"
	SchemaCore = "greentic:provider-schema-core/schema-core-api@1.0.0"
	Runtime    = "greentic:component/runtime@0.6.1"
	Run        = "greentic:component/component-runtime@0.6.0"
	Node05     = "greentic:component/node@0.5.0"
	Node04     = "greentic:component/node@0.4.0"
)

// Router is what a component that serves MCP tools exports. Its text is not ours and not here.
const Router = "wasix:mcp/router@25.6.18"

// The interfaces by which a component describes itself.
const (
	ComponentDescriptor = "greentic:component/component-descriptor@0.6.0"
	ComponentSchema     = "greentic:component/component-schema@0.6.0"
	ComponentQA         = "greentic:component/component-qa@0.6.0"
	ComponentI18n       = "greentic:component/component-i18n@0.6.0"
	Descriptor          = "greentic:component/descriptor@0.6.1"
	QA                  = "greentic:component/qa@0.6.1"
	I18n                = "greentic:component/component-i18n@0.6.1"
	ConfigSchema05      = "greentic:component/component-config-schema@0.5.0"
)

// The interfaces a component may import.
const (
	Control   = "greentic:component/control@0.6.0"
	Control05 = "greentic:component/control@0.5.0"
	Control04 = "greentic:component/control@0.4.0"
	Secrets10 = "greentic:secrets-store/secrets-store@1.0.0"
	Secrets11 = "greentic:secrets-store/secrets-store@1.1.0"
	State     = "greentic:state/state-store@1.0.0"
	HTTP10    = "greentic:http/http-client@1.0.0"
	HTTP11    = "greentic:http/http-client@1.1.0"
	Telemetry = "greentic:telemetry/logger-api@1.0.0"
	TypesCore = "greentic:types-core/core@0.6.0"
	Types     = "greentic:interfaces-types/types@0.1.0"
)
