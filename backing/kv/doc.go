// Package kv is the contract of the tenant-scoped ordered key/value store.
package kv
