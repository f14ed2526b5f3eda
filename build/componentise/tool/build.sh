#!/bin/sh
# Rebuilds tool.wasm.gz and adapter.wasm.gz: wasm-tools' core module out of the npm package pinned in
# package-lock.json, made a component again by that package itself with the world of tool.wit.
# The same versions give the same bytes. Usage: build/componentise/tool/build.sh (from anywhere; needs
# npm and gzip)
set -eu
cd "$(dirname "$0")"
[ -e node_modules/@bytecodealliance/jco/package.json ] || npm ci --no-audit --no-fund --ignore-scripts --silent
jco=node_modules/@bytecodealliance/jco
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
run() { node $jco/src/jco.js "$@" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }; }
run embed --wit tool.wit --world-name tool -o "$tmp/embedded.wasm" $jco/obj/wasm-tools.core.wasm
run new --wasi-reactor -o "$tmp/tool.wasm" "$tmp/embedded.wasm"
cp $jco/lib/wasi_snapshot_preview1.reactor.wasm "$tmp/adapter.wasm"
for name in tool adapter; do
  gzip -9n <"$tmp/$name.wasm" >$name.wasm.gz
  echo "$name.wasm.gz $(wc -c <$name.wasm.gz) bytes"
done
