// Package canon is the canonical ABI.
package canon
