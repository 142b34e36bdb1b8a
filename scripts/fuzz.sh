#!/usr/bin/env bash
# Runs the fuzz targets with the sanitizers, one after the other, each for so many seconds (default 60).
# What they learn is kept in build/fuzz/corpus for the next time. A finding ends the script with the input's name:
# put it into fuzz/corpus/TARGET, where every test run plays it again, and fix what it found.
#
#   scripts/fuzz.sh [SECONDS] [TARGET…]     for example: scripts/fuzz.sh 600 csv_fuzz json_fuzz
# FUZZ_SEED=N walks the same way each time; else each run takes another.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
shift $(($# > 0))

scripts/packages.sh fuzz
cmake --preset fuzz >/dev/null
if [ $# -gt 0 ]; then
  targets=("$@")
else
  mapfile -t targets < <(basename -s .seeds -a build/fuzz/fuzz/*.seeds)
fi
cmake --build --preset fuzz --target "${targets[@]}"

for name in "${targets[@]}"; do
  learnt="build/fuzz/corpus/$name"
  split="build/fuzz/seeds/$name"
  found="build/fuzz/findings/$name-"
  rm -rf "$split"
  mkdir -p "$learnt" "$split" build/fuzz/findings
  # libFuzzer reads folders of files: a table's lines become files, single files are copied.
  folders=("$split")
  while read -r seed; do
    if [[ $seed == *.tsv ]]; then
      cut -f1 "$seed" | split -l 1 -a 5 - "$split/$(basename "$seed" .tsv)-"
    elif [ -d "$seed" ]; then
      folders+=("$seed")
    elif [ -n "$seed" ]; then
      cp "$seed" "$split"
    fi
  done < "build/fuzz/fuzz/$name.seeds"
  echo "== $name: $seconds s"
  "build/fuzz/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found" \
    ${FUZZ_SEED:+-seed="$FUZZ_SEED"} -print_final_stats=1 -verbosity=0 "$learnt" "${folders[@]}"
done
