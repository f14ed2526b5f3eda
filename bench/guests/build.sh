#!/bin/sh
# Builds the guests of the measurements into out/, which is not tracked: go.wasm (standard Go),
# qjs.wasm (JavaScript on QuickJS) and sm.wasm (the same on SpiderMonkey), all with world.wit.
# Usage: bench/guests/build.sh (from anywhere; needs Go and npm; about two minutes)
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export GOTOOLCHAIN=go1.26.8 CGO_ENABLED=0 GOFLAGS= GOWASM= GOEXPERIMENT=

[ -e node_modules/componentize-qjs/package.json ] || npm ci --no-audit --no-fund --ignore-scripts --silent
quiet() { "$@" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }; }
mkdir -p out

(cd go && GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w' -o "$tmp/core.wasm" .)
go run ./gocomponent "$tmp/core.wasm" world.wit out/go.wasm

quiet node node_modules/.bin/componentize-qjs --sync --wit world.wit --world guest --js guest.js -o out/qjs.wasm

quiet node node_modules/.bin/componentize-js guest.js --wit world.wit --world-name guest \
  -d stdio -d random -d clocks -d http -d fetch-event -o out/sm.wasm

for guest in go qjs sm; do
  echo "$guest.wasm $(wc -c <out/$guest.wasm) bytes"
done
