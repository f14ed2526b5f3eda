#!/bin/sh
# Builds asker.wasm from asker.wat and asker.wit. Needs wasm-tools 1.263.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
wasm-tools component embed asker.wit --world asker asker.wat -o "$tmp/embedded.wasm"
wasm-tools component new "$tmp/embedded.wasm" | wasm-tools strip --all -o asker.wasm
