package pack

import (
	"maps"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
)

// LockEntry is one component of pack.lock.cbor (formats digest 4.5).
type LockEntry struct {
	ComponentID  string          `json:"component_id"`
	Ref          string          `json:"ref,omitempty"` // where it was resolved from; file:// is a path of the build machine
	ABIVersion   string          `json:"abi_version"`
	Digest       string          `json:"resolved_digest"` // "sha256:" of the code
	DescribeHash string          `json:"describe_hash"`   // hexadecimal; repeats the code's when it has no describe
	Operations   []LockOperation `json:"operations"`
	World        string          `json:"world,omitempty"`
	Version      string          `json:"component_version,omitempty"`
	Role         string          `json:"role,omitempty"`
}

// LockOperation is one operation of a locked component.
type LockOperation struct {
	ID         string `json:"operation_id"`
	SchemaHash string `json:"schema_hash"`
}

// Builtin says whether a component id is one the runner executes itself, without code.
func Builtin(id string) bool {
	switch id {
	case "component.exec", "session.wait", "flow.call", "flow.goto", "provider.invoke", "state.get", "state.set", "mcp", "mcp.exec",
		"questions", "template", "dw.agent", "dw.agent_graph", "sorla.call", "operala.call", "agentic.call":
		return true
	}
	return strings.HasPrefix(id, "emit.") || strings.HasPrefix(id, "dw.")
}

// readLock reads the lock of the archive; a broken lock is a finding and locks nothing.
func (a *Archive) readLock() (map[string]LockEntry, []Finding) {
	for _, p := range []string{lockPath, lockJSONPath} {
		if a.entries[p] == nil {
			continue
		}
		b, err := a.read(p)
		var lock map[string]LockEntry
		if err == nil && p == lockPath {
			lock, err = parseLock(b)
		} else if err == nil {
			lock, err = parseOldLock(b)
		}
		if err != nil {
			return nil, []Finding{found(Error, "PACK_LOCK_INVALID", p, "%v", err)}
		}
		maps.DeleteFunc(lock, func(id string, e LockEntry) bool { return Builtin(id) || e.Role == "builtin" })
		return lock, nil
	}
	return nil, []Finding{found(Info, "PACK_LOCK_MISSING", lockPath, "the pack has no lock; its components are not pinned")}
}

func parseLock(b []byte) (map[string]LockEntry, error) {
	var doc struct {
		Version    int64                `json:"version"`
		Components map[string]LockEntry `json:"components"`
	}
	if err := cbor.Decode(b, &doc); err != nil {
		return nil, err
	}
	if doc.Version != 1 {
		return nil, fault.Newf(fault.Unsupported, "pack lock", "version %d", doc.Version)
	}
	for id, e := range doc.Components {
		if e.ComponentID != id {
			return nil, fault.Newf(fault.Invalid, "pack lock", "the entry %q is of component %q", id, e.ComponentID).WithCode("PACK_LOCK_COMPONENT_ID_MISMATCH")
		}
	}
	return doc.Components, nil
}

// parseOldLock reads the JSON form of the classic runner.
func parseOldLock(b []byte) (map[string]LockEntry, error) {
	tree, err := cbor.FromJSON(b)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Components []map[string]any `json:"components"`
	}
	if err := convert(tree, &doc); err != nil {
		return nil, err
	}
	first := func(m map[string]any, keys ...string) string {
		for _, k := range keys {
			if s, _ := m[k].(string); s != "" {
				return s
			}
		}
		return ""
	}
	lock := map[string]LockEntry{}
	for _, c := range doc.Components {
		e := LockEntry{ComponentID: first(c, "component_id", "name"), Ref: first(c, "source_ref", "ref"), Digest: first(c, "resolved_digest", "digest")}
		if hex := first(c, "wasm_sha256", "sha256"); hex != "" {
			e.Digest = "sha256:" + strings.TrimPrefix(hex, "sha256:")
		}
		lock[e.ComponentID] = e
	}
	return lock, nil
}

func encodeLock(entries []LockEntry) ([]byte, error) {
	byID := map[string]LockEntry{}
	for _, e := range entries {
		e.Operations = slices.Clone(e.Operations)
		slices.SortFunc(e.Operations, func(a, b LockOperation) int { return strings.Compare(a.ID, b.ID) })
		byID[e.ComponentID] = e
	}
	return cbor.Marshal(map[string]any{"version": 1, "components": byID})
}

// pinned is s as a digest, "" when it is no full sha256.
func pinned(s string) greentic.Digest {
	d, err := greentic.ParseDigest(strings.ToLower(s))
	if err != nil {
		return ""
	}
	return d
}
