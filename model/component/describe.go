package component

import (
	"crypto/sha256"
	"encoding/hex"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
)

// Description is what a component says of itself (formats digest 2.7, ComponentDescribe).
type Description struct {
	ID         string
	Version    string
	Role       string
	Operations []DescribedOperation
	Hash       string // lower-case hexadecimal SHA-256 of the canonical document
}

// DescribedOperation is one operation of a Description.
type DescribedOperation struct {
	ID         string
	SchemaHash string // lower-case hexadecimal SHA-256 of canonical {input, output, config}
}

// ParseDescription reads the decoded describe() document v. Provider documents of the 0.6.1
// line (a name, a title and no schema per operation) are read too. The error is fault.Invalid.
func ParseDescription(v any) (*Description, error) {
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, fault.Newf(fault.Invalid, "component describe", "the document is %T, not a map", v)
	}
	hash, err := canonicalHash(doc)
	if err != nil {
		return nil, err
	}
	d := &Description{Hash: hash}
	info, _ := doc["info"].(map[string]any)
	d.ID, d.Version, d.Role = text(info["id"]), text(info["version"]), text(info["role"])
	ops, _ := doc["operations"].([]any)
	for _, item := range ops {
		op, _ := item.(map[string]any)
		id := text(op["id"])
		if id == "" {
			id = text(op["name"])
		}
		if id == "" {
			return nil, fault.New(fault.Invalid, "component describe", "an operation has no id")
		}
		h := text(op["schema_hash"])
		if h == "" {
			if h, err = canonicalHash(map[string]any{
				"input": schemaOf(op["input"]), "output": schemaOf(op["output"]), "config": doc["config_schema"],
			}); err != nil {
				return nil, err
			}
		}
		d.Operations = append(d.Operations, DescribedOperation{ID: id, SchemaHash: h})
	}
	return d, nil
}

// schemaOf unwraps {schema: X}.
func schemaOf(v any) any {
	if m, ok := v.(map[string]any); ok {
		return m["schema"]
	}
	return nil
}

func canonicalHash(v any) (string, error) {
	b, err := cbor.Marshal(v)
	if err != nil {
		return "", fault.Wrap("component describe", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func text(v any) string { s, _ := v.(string); return s }
