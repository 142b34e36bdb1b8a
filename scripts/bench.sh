#!/usr/bin/env bash
# Sluice against the sqlite3 shell on the standard data set (bench/sample_row.h): first load, reload with one row
# changed, day 2, each from CSV, and the reload from JSON. Both sides write a WAL database with synchronous=FULL;
# they take turns, and the medians are compared. The shell stages in a temporary table, its fastest way, and looks
# for vanished rows on day 2 only. CPU seconds stand beside the clock's: on a busy machine they are the better
# measure. Peers that are not installed are skipped with a note.
#
#   scripts/bench.sh [--rows N] [--rounds N] [--only shell|sluice]     defaults: 1000000 rows, 3 rounds
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

rows=1000000 rounds=3 only=
while (($#)); do
  case $1 in
    --rows) rows=$2; shift 2 ;;
    --rounds) rounds=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done

build=${SLUICE_BENCH_BUILD:-$root/build/release}
work=$root/build/bench
data=$work/data-$rows
[[ -x /usr/bin/time ]] || { echo "bench.sh needs GNU time: apt-get install time" >&2; exit 3; }

# build.sh leaves the benchmarks out.
cmake --preset release -B "$build" -DSLUICE_BENCH=ON >/dev/null
targets=(bench_data)
[[ $only == shell ]] || targets+=(sluice)
ninja -C "$build" "${targets[@]}" | tail -1
sluice=$(find "$build" -maxdepth 3 -type f -name sluice -perm -u+x | head -1)

if [[ ! -f $data/complete ]]; then
  mkdir -p "$data"
  "$build/bench/bench_data" "$data" --rows "$rows"
  touch "$data/complete"
fi

# --- the two sides: each is called as SIDE_load VARIANT FORMAT, in its own folder with current.FORMAT linked there
has_shell() { [[ $only != sluice ]] && command -v sqlite3 >/dev/null; }
has_sluice() { [[ $only != shell && -n $sluice ]]; }

fresh() { # SIDE: an empty database
  rm -rf "$work/${1:?}"
  mkdir -p "$work/$1/definitions"
  if [[ $1 == shell ]]; then
    sqlite3 "$work/shell/target.db" 'PRAGMA journal_mode=WAL' ".read $root/bench/shell/target.sql" >/dev/null
  fi
}

settle() { # the writes of one measurement must not be paid by the next
  sync
}

timed() { # SIDE COMMAND…: sets measured to "seconds kilobytes cpu-seconds"
  local side=$1; shift
  if ! /usr/bin/time -f '%e %M %U %S' -o "$work/time" "$@" >"$work/$side.out" 2>"$work/$side.err"; then
    echo "bench.sh: $side failed:" >&2
    tail -5 "$work/$side.err" "$work/$side.out" >&2
    exit 1
  fi
  measured=$(tail -1 "$work/time" | awk '{print $1, $2, $3 + $4}')
}

shell_load() { # VARIANT FORMAT
  cd "$work/shell"
  ln -f "$data/$1.$2" "current.$2"
  {
    echo 'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;'
    echo 'BEGIN;'
    cat "$root/bench/shell/stage_$2.sql" "$root/bench/shell/upsert.sql"
    if [[ $1 == day2 ]]; then cat "$root/bench/shell/delete.sql"; fi
    echo 'DROP TABLE staging; COMMIT;'
  } >load.sql
  timed shell sqlite3 -bail target.db '.read load.sql'
  cd "$root"
}

sluice_load() { # VARIANT FORMAT
  local at=$work/sluice
  ln -f "$data/$1.$2" "$at/definitions/current.$2"
  cat >"$at/definitions/item.loader.yaml" <<YAML
name: item
schedule: {start: manual}
source: {file: current.$2}
key: id
load: {mode: sync, vanished: delete}
target: {table: item}
YAML
  timed sluice "$sluice" run item --definitions "$at/definitions" --data "$at/data" \
    --database "sqlite:$at/target.db" --json
}

database_of() { echo "$work/$1/target.db"; }

# The receipt's word is not taken for it: both tables must have the rows of the variant.
check() { # SIDE VARIANT FORMAT
  command -v sqlite3 >/dev/null || return 0
  local sum
  sum=$(sqlite3 "$(database_of "$1")" \
    'SELECT count(*), sum(id), sum(quantity), sum(length(name)), count(notes) FROM item')
  local known="$work/expected-$rows-$2"
  if [[ -f $known ]]; then
    [[ $(<"$known") == "$sum" ]] || { echo "bench.sh: $1 holds other rows after $2.$3: $sum" >&2; exit 1; }
  else
    echo "$sum" >"$known"
  fi
}

# --- measure
sides=()
has_shell && sides+=(shell) || echo "note: the sqlite3 shell is not measured"
has_sluice && sides+=(sluice) || echo "note: sluice is not measured"
((${#sides[@]})) || exit 0
rm -f "$work"/expected-"$rows"-* "$work"/result-*
cat "$data"/*.csv "$data"/*.json >/dev/null # both sides read from the page cache

measure() { # SIDE QUESTION VARIANT FORMAT
  settle
  "${1}_load" "$3" "$4"
  check "$1" "$3" "$4"
  echo "$measured" >>"$work/result-$1-$2"
}
for ((round = 1; round <= rounds; ++round)); do
  echo "round $round of $rounds" >&2
  for side in "${sides[@]}"; do fresh "$side"; done
  for step in "first-csv first csv" "one-csv one csv" "day2-csv day2 csv"; do
    read -r question variant format <<<"$step"
    for side in "${sides[@]}"; do measure "$side" "$question" "$variant" "$format"; done
  done
  # JSON: a first load that is not measured, then one row changed.
  for side in "${sides[@]}"; do
    fresh "$side"
    "${side}_load" first json
    check "$side" first json
  done
  for side in "${sides[@]}"; do measure "$side" one-json one json; done
done

# --- report
median() { # FILE COLUMN
  sort -n -k"$2" "$1" | awk -v c="$2" '{v[NR] = $c} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}
cell() { # SIDE QUESTION COLUMN
  [[ -f $work/result-$1-$2 ]] && median "$work/result-$1-$2" "$3" || echo -
}
echo
echo "$(date -u +%Y-%m-%d), $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $rows rows," \
  "medians of $rounds, sqlite3 $(sqlite3 --version 2>/dev/null | cut -d' ' -f1 || echo none)"
printf '%-24s %9s %9s %7s %9s %9s %7s %9s %9s\n' 'what' 'shell s' 'sluice s' 'ratio' 'shell cpu' 'sluice cpu' \
  'ratio' 'shell MB' 'sluice MB'
report() { # LABEL QUESTION
  awk -v label="$1" -v a="$(cell shell "$2" 1)" -v b="$(cell sluice "$2" 1)" -v ac="$(cell shell "$2" 3)" \
    -v bc="$(cell sluice "$2" 3)" -v am="$(cell shell "$2" 2)" -v bm="$(cell sluice "$2" 2)" '
    function ratio(x, y) { return (x != "-" && y != "-" && y > 0) ? sprintf("%.1fx", x / y) : "-" }
    function seconds(x) { return x == "-" ? x : sprintf("%.2f", x) }
    function megabytes(x) { return x == "-" ? x : sprintf("%.0f", x / 1024) }
    BEGIN {
      printf "%-24s %9s %9s %7s %9s %9s %7s %9s %9s\n", label, seconds(a), seconds(b), ratio(a, b), seconds(ac),
             seconds(bc), ratio(ac, bc), megabytes(am), megabytes(bm)
    }'
}
report 'first load, CSV' first-csv
report 'one row changed, CSV' one-csv
report 'day 2, CSV' day2-csv
report 'one row changed, JSON' one-json
command -v duckdb >/dev/null || echo "note: DuckDB is not installed and not compared"
