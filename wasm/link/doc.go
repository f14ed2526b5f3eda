// Package link builds and runs the instance graph of a component.
package link
