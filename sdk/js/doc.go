// Package js carries the SDK for JavaScript and TypeScript, the npm package @greentic/component.
//
// What it is: the files of the package, embedded, as they are published. Who calls it: build/js, for
// projects that bring no copy of their own, and the templates of new projects. What it refuses to
// do: run anything; the SDK is JavaScript, tested by `node --test` in sdk_test.go. Main value: [Files].
package js

import "embed"

// Files are the files of the npm package.
//
//go:embed *.js *.d.ts package.json README.md
var Files embed.FS
