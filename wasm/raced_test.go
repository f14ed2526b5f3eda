//go:build race

package wasm_test

import "time"

// The race detector makes everything slower and larger.
const (
	raced    = true
	patience = time.Duration(10)
)
