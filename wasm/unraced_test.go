//go:build !race

package wasm_test

import "time"

const (
	raced    = false
	patience = time.Duration(1)
)
