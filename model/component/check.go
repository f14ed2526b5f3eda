package component

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

var (
	semverForm    = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	operationForm = regexp.MustCompile(`^[a-z][a-z0-9_.:-]*$`)
	hashForm      = regexp.MustCompile(`^blake3:[0-9a-f]{64}$`)
	secretKeyForm = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)
	supportsWords = []string{"messaging", "event", "component_config", "job", "http"}
)

// CheckVersion applies the version rule of manifests: d.d.d with optional pre-release and
// build suffixes. The error is fault.Invalid.
func CheckVersion(version string) error {
	if !semverForm.MatchString(version) {
		return fault.Newf(fault.Invalid, "version", "%q is not a semantic version such as 1.2.3", version)
	}
	return nil
}

// CheckSecretKey applies the rule of secret keys (formats digest 2.1 and 5.2): segments of
// letters, digits, '.', '_' and '-' joined by '/', no leading slash, no "..". The error is
// fault.Invalid.
func CheckSecretKey(key string) error {
	if !secretKeyForm.MatchString(key) || slices.Contains(strings.Split(key, "/"), "..") {
		return fault.Newf(fault.Invalid, "secret key", "%q is not letters, digits, '.', '_' and '-' in segments joined by '/'", key)
	}
	return nil
}

// check applies the rules that the shape alone does not.
func (m *Manifest) check(d *document) error {
	for _, key := range []string{"id", "name", "version", "world", "describe_export", "config_schema", "operations",
		"supports", "profiles", "capabilities", "artifacts", "hashes"} {
		if _, ok := d.at["/"+key]; !ok {
			return d.failAt("", "key %q is missing", key).WithFix("add " + key)
		}
	}
	if err := greentic.CheckID("component id", m.ID); err != nil {
		return d.failAt("/id", "%v", err)
	}
	if err := CheckVersion(m.Version); err != nil {
		return d.failAt("/version", "%v", err)
	}
	for _, f := range [...]struct{ key, value string }{{"name", m.Name}, {"world", m.World}, {"describe_export", m.DescribeExport}} {
		if f.value == "" {
			return d.failAt("/"+f.key, "%s is empty", f.key)
		}
	}
	if err := m.checkOperations(d); err != nil {
		return err
	}
	for i, s := range m.Supports {
		if !slices.Contains(supportsWords, s) {
			return d.failAt(fmt.Sprintf("/supports/%d", i), "%q is not one of %s", s, strings.Join(supportsWords, ", "))
		}
	}
	if _, ok := d.at["/profiles/supported"]; !ok {
		return d.failAt("/profiles", "profiles.supported is missing").WithFix(`add "supported": ["stateless"]`)
	}
	if p := m.Profiles; p.Default != "" && !slices.Contains(p.Supported, p.Default) {
		return d.failAt("/profiles/default", "default profile %q is not among the supported ones", p.Default)
	}
	if err := m.checkArtifacts(d); err != nil {
		return err
	}
	return m.checkCapabilities(d)
}

func (m *Manifest) checkOperations(d *document) error {
	seen := map[string]bool{}
	for i, op := range m.Operations {
		at := fmt.Sprintf("/operations/%d", i)
		if !operationForm.MatchString(op.Name) {
			return d.failAt(at+"/name", "operation name %q does not match %s", op.Name, operationForm)
		}
		if seen[op.Name] {
			return d.failAt(at+"/name", "operation %q is declared twice", op.Name)
		}
		seen[op.Name] = true
		if !schemaLike(op.InputSchema) || !schemaLike(op.OutputSchema) {
			return d.failAt(at, "operation %q needs input_schema and output_schema, both JSON Schemas", op.Name)
		}
	}
	if m.DefaultOperation != "" && !seen[m.DefaultOperation] {
		return d.failAt("/default_operation", "default operation %q is not declared", m.DefaultOperation)
	}
	return nil
}

func schemaLike(v any) bool {
	switch v.(type) {
	case map[string]any, bool:
		return true
	}
	return false
}

func (m *Manifest) checkArtifacts(d *document) error {
	w := m.Artifacts.ComponentWasm
	if w == "" || path.IsAbs(w) || strings.Contains(w, "\\") || w != path.Clean(w) || w == ".." || strings.HasPrefix(w, "../") {
		return d.failAt("/artifacts/component_wasm", "%q is not a relative path below the manifest", w)
	}
	if !hashForm.MatchString(m.Hashes.ComponentWasm) {
		return d.failAt("/hashes/component_wasm", "hash is not blake3: and 64 lower-case hexadecimal digits")
	}
	return nil
}

func (m *Manifest) checkCapabilities(d *document) error {
	const at = "/capabilities"
	c := m.Capabilities
	if f := c.Wasi.Filesystem; f != nil && !slices.Contains([]string{"none", "read_only", "sandbox"}, f.Mode) {
		return d.failAt(at+"/wasi/filesystem/mode", "mode %q is not none, read_only or sandbox", f.Mode)
	}
	if t := c.Host.Telemetry; t != nil && !slices.Contains([]string{"tenant", "pack", "node"}, t.Scope) {
		return d.failAt(at+"/host/telemetry/scope", "scope %q is not tenant, pack or node", t.Scope)
	}
	if err := checkSecrets(d, "/secret_requirements", m.Secrets); err != nil {
		return err
	}
	if c.Host.Secrets == nil {
		return nil
	}
	if err := checkSecrets(d, at+"/host/secrets/required", c.Host.Secrets.Required); err != nil {
		return err
	}
	if m.Secrets != nil && !slices.Equal(secretKeys(m.Secrets), secretKeys(c.Host.Secrets.Required)) {
		return d.failAt(at+"/host/secrets", "capabilities.host.secrets.required and secret_requirements name different keys").
			WithFix("keep only secret_requirements")
	}
	return nil
}

func checkSecrets(d *document, at string, list []SecretRequirement) error {
	for i, s := range list {
		p := fmt.Sprintf("%s/%d", at, i)
		if err := CheckSecretKey(s.Key); err != nil {
			return d.failAt(p+"/key", "%v", err)
		}
		if _, ok := d.at[p+"/required"]; !ok {
			return d.failAt(p, "secret %q does not say whether it is required", s.Key)
		}
		if s.Scope == nil || s.Scope.Env == "" || s.Scope.Tenant == "" {
			return d.failAt(p, "secret %q needs scope with env and tenant", s.Key)
		}
		if !slices.Contains([]string{"bytes", "text", "json"}, s.Format) {
			return d.failAt(p, "secret %q needs format bytes, text or json", s.Key)
		}
	}
	return nil
}

func secretKeys(list []SecretRequirement) []string {
	keys := make([]string, len(list))
	for i, s := range list {
		keys[i] = s.Key
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
