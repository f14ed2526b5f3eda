#!/bin/sh
# Brings the engine that package-lock.json pins into this folder.
# Usage: build/quickjs/engine/bring.sh (from anywhere; needs npm)
set -eu
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --ignore-scripts --silent
cp node_modules/quickjs-wasi/quickjs.wasm node_modules/quickjs-wasi/LICENSE .
