#!/bin/sh
# Builds older-*.wasm from older.wat and the text in interfaces: node@0.5.0 with its three
# tenant-ctx records (a, b, c; formats digest 2.5) and node@0.4.0. Needs wasm-tools 1.263.
set -eu
cd "$(dirname "$0")"
wit=../../../interfaces
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# build NAME VERSION SIZE FIELDS MANIFEST: SIZE is that of exec-ctx in memory.
build() {
  manifest=$(printf %s "$5" | sed 's/"/\\\\22/g')
  sed -e "s/VERSION/$2/g" -e "s/SIZE/$3/g" -e "s/\"FIELDS\"/\"$4\"/" -e "s#\"MANIFEST\"#\"$manifest\"#" older.wat >"$tmp/core.wat"
  wasm-tools parse "$tmp/core.wat" -o "$tmp/core.wasm"
  wasm-tools component embed "$tmp/$1" --world component "$tmp/core.wasm" -o "$tmp/embedded.wasm"
  wasm-tools component new "$tmp/embedded.wasm" | wasm-tools strip --all -o "older-$1.wasm"
}

mkdir -p "$tmp/a" "$tmp/b" "$tmp/c/deps" "$tmp/04"
sed '/i18n-id/d' "$wit/component-0.5.0.wit" >"$tmp/a/node.wit"
cp "$wit/component-0.5.0.wit" "$tmp/b/node.wit"
cp "$wit/component-0.4.0.wit" "$tmp/04/node.wit"
awk '/record tenant-ctx/ { print "  use greentic:interfaces-types/types@0.1.0.{tenant-ctx};"; skip = 1 } !skip { print } skip && /^  }/ { skip = 0 }' \
  "$wit/component-0.5.0.wit" >"$tmp/c/node.wit"
cp "$wit/interfaces-types-0.1.0.wit" "$tmp/c/deps/types.wit"

short="s000tenant o008team o020user o032trace-id o044correlation-id d056deadline-unix-ms n072attempt o076idempotency-key s088exec.flow-id o096exec.node-id"
build a 0.5.0 112 "$short" '{"component":{"name":"older","org":"test","version":"0.1.2","world":"greentic:component/component@0.5.0"}}'
build 04 0.4.0 112 "$short" 'no manifest'
build b 0.5.0 136 "s000tenant o008team o020user o032trace-id o044i18n-id o056correlation-id d072deadline-unix-ms n088attempt o092idempotency-key o104exec.i18n-id s116exec.flow-id o124exec.node-id" \
  '{"id":"test.older","name":"Older","version":"0.2.0","operations":[{"name":"context","input_schema":{"type":"object"},"output_schema":{"$ref":"schemas/out.json"}},{"name":"input"}]}'
build c 0.5.0 256 "s000env s008tenant s016tenant-id o024team o036team-id o048user o060user-id o072trace-id o084i18n-id o096correlation-id l108attributes o116session-id o128flow-id o140node-id o152provider-id d168deadline-ms n184attempt o188idempotency-key p200impersonation o224exec.i18n-id s236exec.flow-id o244exec.node-id" \
  '{"component":{"name":"older","version":"0.3.0"}}'
