// Package abi is the memory a component and its host hand each other.
//
// What it is: blocks by address, records in the canonical layout, the realloc exports, and the reserve
// that the preview-1 adapter uses. Who calls it: package greentic. What it refuses to do: follow an
// address that was not handed over. Main types: [Arena], [Reader], [Writer]. Tested in
// memory_test.go.
package abi
