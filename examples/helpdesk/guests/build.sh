#!/bin/sh
# Builds every component of this folder into ../pack/components/<id>/component.wasm and writes
# its hash into the manifest there: standard Go, then room for the preview-1 adapter (./adapt),
# then the componentiser pinned in package-lock.json. The same sources give the same bytes.
# Usage: examples/helpdesk/guests/build.sh (from anywhere; needs Go and npm)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
out=$here/../pack/components
wit=$here/../../../interfaces
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# One toolchain, no settings of the user: both would show in the bytes.
export GOTOOLCHAIN=go1.26.8 CGO_ENABLED=0 GOFLAGS= GOWASM= GOEXPERIMENT=

go vet ./...
go test ./...
[ -e node_modules/@bytecodealliance/jco/package.json ] || npm ci --no-audit --no-fund --ignore-scripts --silent
jco() { node node_modules/@bytecodealliance/jco/src/jco.js "$@" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }; }

mkdir "$tmp/deps"
for package in component-0.6.0 types-core-0.6.0 state-1.0.0 interfaces-types-0.1.0; do
  cp "$wit/$package.wit" "$tmp/deps/"
done
for name in triage tickets; do
  cp "wit/$name.wit" "$tmp/guest.wit"
  GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w' -o "$tmp/core.wasm" "./$name"
  go run ./adapt "$tmp/core.wasm"
  jco embed --wit "$tmp" --world-name guest -o "$tmp/embedded.wasm" "$tmp/core.wasm"
  jco new --wasi-reactor -o "$out/helpdesk.$name/component.wasm" "$tmp/embedded.wasm"
  go run ./manifest "$out/helpdesk.$name/component.manifest.json"
  echo "helpdesk.$name $(wc -c <"$out/helpdesk.$name/component.wasm") bytes"
done
