#!/usr/bin/env bash
# The job engine beside graphile-worker and pg-boss, on one PostgreSQL that this script starts (fsync on) and, for ours, on
# SQLite too. Prints a table; some five minutes.
#   bench/jobs/run.sh [JOBS] [SAMPLES]        (100000 and 2000)   BENCH_JOBS=path/to/bench_jobs
# The others come from npm as package-lock.json pins them, with the Node 22 they need.
set -euo pipefail
cd "$(dirname "$0")"
jobs=${1:-100000}
samples=${2:-2000}
ours=${BENCH_JOBS:-../../build/jobs-bench/bench/bench_jobs}
if [ ! -x "$ours" ]; then
  cmake -S ../.. -B ../../build/jobs-bench -G Ninja -DCMAKE_BUILD_TYPE=Release -DSLUICE_BENCH=ON -DSLUICE_TESTS=OFF -DSLUICE_DASHBOARD=OFF >&2
  cmake --build ../../build/jobs-bench --target bench_jobs >&2
fi
[ -x node_modules/.bin/node ] || npm ci --no-audit --no-fund >&2

folder=$(mktemp -d)
finish() { ../../scripts/test-postgres.sh stop "$folder/url"; rm -rf "$folder"; }
trap finish EXIT
../../scripts/test-postgres.sh start "$folder/url" -c fsync=on -c full_page_writes=on -c shared_buffers=512MB -c max_wal_size=4GB
url=$(cat "$folder/url")
SERVER_PID=$(head -1 "$(sed -n 's|.*host=\(/[^&]*\).*|\1|p' "$folder/url")/data/postmaster.pid")
export SERVER_PID
measure() { timeout 150 "$@" 2>>"$folder/errors" | grep '^{' >>"$folder/lines" || { tail -5 "$folder/errors" >&2; echo "run.sh: failed: $1 ${2:-}" >&2; }; }

# In turns, so that what others do on the machine hits all alike.
measure "$ours" throughput "$url" "$jobs"
measure node_modules/.bin/node peers.mjs "$url" "$jobs" "$samples"
measure "$ours" latency "$url" "$samples"
measure "$ours" pinned "$url" "$jobs"
measure "$ours" throughput sqlite "$jobs"
measure "$ours" latency sqlite "$samples"

echo "$(date +%F), $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(psql -XqtA "$url" -c 'show server_version' | cut -d' ' -f1), load $(cut -d' ' -f1-3 /proc/loadavg)"
node_modules/.bin/node table.mjs <"$folder/lines"
