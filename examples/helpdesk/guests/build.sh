#!/bin/sh
# Tests the components of this folder and builds each into ../pack/components/<id>.
# Usage: examples/helpdesk/guests/build.sh (from anywhere; needs Go)
set -eu
cd "$(dirname "$0")"
go vet ./...
go test ./...
for name in triage tickets; do
  (cd ../../.. && go run ./cmd/greentic component build "examples/helpdesk/guests/$name" --out "examples/helpdesk/pack/components/helpdesk.$name")
done
