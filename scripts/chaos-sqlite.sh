#!/usr/bin/env bash
# One node on SQLite, killed with -9 KILLS times (default 300) and started again at once, each time after 0.1 to 0.9 s
# of work. Then the work is let end, and every job is looked at: none lost, none run twice without a recorded crash, and
# no second of the recurring job missing or fired twice. Exit 1 otherwise.
#   scripts/chaos-sqlite.sh [KILLS] [JOBS]   CHAOS_NODE=path/to/chaos_node (default build/release/tests/chaos_node)
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-300}
jobs=${2:-$((kills * 500))}
node=${CHAOS_NODE:-build/release/tests/chaos_node}
[ -x "$node" ] || { echo "chaos-sqlite.sh: there is no $node; build it first (cmake --build --preset release)" >&2; exit 3; }

folder=$(mktemp -d)
pid=""
finish() {
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
ask() { sqlite3 -readonly "$folder/jobs.db" "attach '$folder/runs.db' as runs; $1"; }

"$node" "$folder" enqueue "$jobs"
begun=$SECONDS
for ((i = 0; i < kills; ++i)); do
  "$node" "$folder" work >>"$folder/node.log" 2>&1 & pid=$!
  sleep "0.$((RANDOM % 9 + 1))"
  kill -9 "$pid" 2>/dev/null || { echo "chaos-sqlite.sh: the node ended by itself" >&2; tail -5 "$folder/node.log" >&2; exit 1; }
  wait "$pid" 2>/dev/null || true
done
seconds=$((SECONDS - begun))
left=$(ask "select count(*) from job where state in (0, 1)")
timeout 600 "$node" "$folder" drain >>"$folder/node.log" 2>&1 & pid=$!
wait "$pid" || { echo "chaos-sqlite.sh: the rest did not end within ten minutes" >&2; tail -5 "$folder/node.log" >&2; exit 1; }

sqlite3 "$folder/runs.db" "create index chaos_run_job on chaos_run (job)"

query() { printf '%-62s %s\n' "$1" "$(ask "$2")"; }
echo "$kills kills in $seconds s; $left jobs were left for the end"
query "jobs" "select count(*) from job"
query "jobs with a recorded crash" "select count(*) from job where crashes > 0"
query "jobs run more than once, each with a recorded reason" "select count(*) from (select job from chaos_run group by job having count(*) > 1)"
bad=0
must_be_none() {
  local found; found=$(ask "$2")
  printf '%-62s %s\n' "$1" "$found"
  [ "$found" = 0 ] || bad=1
}
begins="((length(j.history) - length(replace(j.history, char(10) || '[2,', ''))) / 4)"
must_be_none "lost: not succeeded, nor failed after three recorded crashes" \
  "select count(*) from job where state not in (5, 8) and not (state = 6 and error_code = 'worker_lost')"
must_be_none "succeeded without a run" \
  "select count(*) from job j where state = 5 and not exists (select 1 from chaos_run where job = j.id)"
must_be_none "more runs than recorded begins" \
  "select count(*) from job j join (select job, count(*) n from chaos_run group by job) r on r.job = j.id where r.n > $begins"
must_be_none "run twice without a crash, a retry or a shut-down on record" \
  "select count(*) from job j join (select job, count(*) n from chaos_run group by job) r on r.job = j.id where r.n > 1 and crashes = 0 and $begins < 2"
must_be_none "seconds fired twice" \
  "select count(*) from (select fire_at from job where recurring_id = 'tick' group by fire_at having count(*) > 1)"
must_be_none "seconds missed" \
  "select (max(fire_at) - min(fire_at)) / 1000000 + 1 - count(*) from job where recurring_id = 'tick'"
must_be_none "counts that do not match the jobs" \
  "select count(*) from job_count c where c.n <> (select count(*) from job where state = c.state)"
must_be_none "enqueued where no worker finds them" \
  "select count(*) from job where state = 1 and id not in (select job from ready) and id not in (select job from lease)"
must_be_none "waiting or running although their own rows say otherwise" \
  "select count(*) from (select job from ready union all select job from lease) h join job j on j.id = h.job where j.state <> 1"
[ "$(ask "pragma integrity_check")" = ok ] || { echo "the file is damaged"; bad=1; }
[ $bad = 0 ] && echo "chaos: all well" || { echo "chaos: FAILED" >&2; tail -5 "$folder/node.log" >&2; exit 1; }
