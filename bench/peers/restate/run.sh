#!/bin/sh
# Measures Restate beside our turns: one durable step per call, one caller and 64 of them, everything
# on 127.0.0.1. Needs Node (npm), Go and network for the downloads, which go to the folder given (or a new one) and
# stay out of the tree. No part of make test or make bench.
#   bench/peers/restate/run.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work" && cd "$work"
test -d node_modules/@restatedev || { npm init -y >/dev/null && npm install --no-audit --no-fund --silent @restatedev/restate-server@1.7.12; }
(cd "$here" && CGO_ENABLED=0 go build -o "$work/peer" .)
server=$(ls -d node_modules/@restatedev/restate-server-*/bin/restate-server | head -n 1)
rm -rf data
RESTATE_DISABLE_TELEMETRY=true RESTATE_LOG_FILTER=warn RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE=512MB RESTATE_BASE_DIR="$work/data" \
RESTATE_BIND_ADDRESS=127.0.0.1:15122 RESTATE_INGRESS__BIND_ADDRESS=127.0.0.1:18080 RESTATE_ADMIN__BIND_ADDRESS=127.0.0.1:19070 \
  "$server" >server.log 2>&1 &
restate=$!
./peer serve 127.0.0.1:18910 >service.log 2>&1 &
service=$!
trap 'kill $restate $service 2>/dev/null; wait' EXIT
n=0
until curl -fsS -m 2 -X POST 127.0.0.1:19070/deployments -H 'content-type: application/json' -d '{"uri":"http://127.0.0.1:18910"}' >/dev/null 2>&1; do
  n=$((n + 1))
  test $n -lt 60 || { echo "Restate did not start; see $work/server.log" >&2; exit 1; }
  sleep 1
done
for callers in 1 64; do ./peer load http://127.0.0.1:18080/Flow/One $callers 5s $restate $service; done
echo "load $(cut -d' ' -f1 /proc/loadavg)"
