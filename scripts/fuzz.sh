#!/usr/bin/env bash
# Runs every fuzz target for so many seconds (default 60), with the sanitizers. A finding stops it and leaves the input.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
scripts/packages.sh test fuzz
cmake --preset fuzz
cmake --build --preset fuzz
for target in build/fuzz/fuzz/*_fuzz; do
  name=$(basename "$target")
  mkdir -p "build/fuzz/corpus/$name"
  seeds="fuzz/corpus/$name"
  echo "== $name"
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
    "build/fuzz/corpus/$name" $([ -d "$seeds" ] && echo "$seeds")
done
