// Package flow is the flow language: parse, validate, compile, and the pure Next.
package flow
