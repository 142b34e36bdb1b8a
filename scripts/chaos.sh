#!/usr/bin/env bash
# Three nodes on one PostgreSQL of their own for MINUTES (default 2): every 2 s one is killed with -9 and started again,
# one is stopped for 60 s and continued, the connection on which one listens goes deaf without being closed, all
# connections are cut several times, and the server is restarted twice.
# Then the work is let end, and every job is looked at: none lost, none run twice without a recorded reason, and no second
# of the recurring job missing or fired twice. Exit 1 otherwise.
#   scripts/chaos.sh [MINUTES] [JOBS]    CHAOS_NODE=path/to/chaos_node (default build/release/tests/chaos_node)
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-2}
jobs=${2:-$((minutes * 20000))}
node=${CHAOS_NODE:-build/release/tests/chaos_node}
proxy=$(dirname "$node")/chaos_proxy
[ -x "$node" ] && [ -x "$proxy" ] || { echo "chaos.sh: there is no $node or no chaos_proxy beside it; build them first (cmake --build --preset release)" >&2; exit 3; }

folder=$(mktemp -d)
declare -A pids
proxy_pid=""
finish() {
  for one in "${!pids[@]}"; do kill -CONT "${pids[$one]}" 2>/dev/null || true; kill -9 "${pids[$one]}" 2>/dev/null || true; done
  [ -z "$proxy_pid" ] || { kill -9 "$proxy_pid"; wait "$proxy_pid"; } 2>/dev/null || true
  scripts/test-postgres.sh stop "$folder/url"
  rm -rf "$folder"
}
trap finish EXIT
scripts/test-postgres.sh start "$folder/url" -c fsync=on -c full_page_writes=on
url=$(cat "$folder/url")
# Autocommit, no start-up file, plain output; the server may be down just now.
ask() { psql -XqtA "$url" -c "$1" 2>/dev/null; }
"$proxy" "$url" >"$folder/proxy-url" 2>"$folder/proxy.log" & proxy_pid=$!
until [ -s "$folder/proxy-url" ]; do kill -0 "$proxy_pid" || exit 1; sleep 0.1; done
# Node 1 reaches the server through the proxy.
start() {
  local way=$url
  [ "$1" != 1 ] || way=$(cat "$folder/proxy-url")
  "$node" "$way" work >>"$folder/node$1.log" 2>&1 & pids[$1]=$!
}

ask "create table chaos_run (job bigint not null, attempt int not null)"
"$node" "$url" enqueue "$jobs"
for i in 1 2 3; do start $i; done
begun=$SECONDS
until_end=$((begun + minutes * 60))
kills=0 cuts=0 restarts=0 deaf=0 paused=""
while [ $SECONDS -lt $until_end ]; do
  sleep 2
  left=$((until_end - SECONDS))
  # One node sleeps: after 30 s it is dead to the others, and what it says when it wakes is refused.
  if [ -z "$paused" ] && [ $left -gt 62 ]; then kill -STOP "${pids[3]}"; paused=$SECONDS; fi
  if [ -n "$paused" ] && [ "$paused" != over ] && [ $SECONDS -ge $((paused + 60)) ]; then kill -CONT "${pids[3]}"; paused=over; fi
  victim=$((RANDOM % 2 + 1))
  [ "$paused" = over ] && victim=$((RANDOM % 3 + 1))
  kill -9 "${pids[$victim]}" 2>/dev/null || true
  wait "${pids[$victim]}" 2>/dev/null || true
  kills=$((kills + 1))
  start $victim
  if [ $((RANDOM % 3)) = 0 ]; then kill -USR1 "$proxy_pid"; deaf=$((deaf + 1)); fi
  if [ $((RANDOM % 5)) = 0 ]; then
    ask "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'sluice%'" >/dev/null || true
    cuts=$((cuts + 1))
  fi
  if [ $restarts -lt 2 ] && [ $((SECONDS - begun)) -ge $((minutes * 60 * (restarts + 1) / 3)) ]; then
    scripts/test-postgres.sh restart "$folder/url" "$([ $restarts = 0 ] && echo fast || echo immediate)"
    restarts=$((restarts + 1))
  fi
done
[ -z "$paused" ] || kill -CONT "${pids[3]}" 2>/dev/null || true

# Time for the dead to be found, and for what is left: ten minutes at most.
ask "update sluice_jobs.recurring set next_fire_at = null where id = 'tick'"
limit=$((SECONDS + 600))
while [ "$(ask "select count(*) from sluice_jobs.job where state in (0, 1)")" != 0 ] && [ $SECONDS -lt $limit ]; do sleep 2; done
for i in 1 2 3; do kill -INT "${pids[$i]}" 2>/dev/null || true; done
for i in 1 2 3; do wait "${pids[$i]}" 2>/dev/null || true; done

begins="(length(history) - length(replace(history, E'\n[2, ', ''))) / 5"
query() { printf '%-62s %s\n' "$1" "$(ask "$2")"; }
echo "$minutes min, $kills kills, $cuts times all connections cut, $deaf times gone deaf, $restarts restarts of the server"
query "jobs" "select count(*) from sluice_jobs.job"
query "jobs with a recorded crash" "select count(*) from sluice_jobs.job where crashes > 0"
query "jobs run more than once, each with a recorded reason" "select count(*) from (select job from chaos_run group by job having count(*) > 1) x"
bad=0
must_be_none() {
  local found; found=$(ask "$2")
  printf '%-62s %s\n' "$1" "$found"
  [ "$found" = 0 ] || bad=1
}
must_be_none "lost: not succeeded, nor failed after three recorded crashes" \
  "select count(*) from sluice_jobs.job where state not in (5, 8) and not (state = 6 and error_code = 'worker_lost')"
must_be_none "succeeded without a run" \
  "select count(*) from sluice_jobs.job j where state = 5 and not exists (select 1 from chaos_run where job = j.id)"
must_be_none "more runs than recorded begins" \
  "select count(*) from sluice_jobs.job j join (select job, count(*) n from chaos_run group by job) r on r.job = j.id where r.n > $begins"
must_be_none "run twice without a crash, a retry or a shut-down on record" \
  "select count(*) from sluice_jobs.job j join (select job, count(*) n from chaos_run group by job) r on r.job = j.id where r.n > 1 and crashes = 0 and $begins < 2"
must_be_none "seconds fired twice" \
  "select count(*) from (select fire_at from sluice_jobs.job where recurring_id = 'tick' group by fire_at having count(*) > 1) x"
must_be_none "seconds missed" \
  "select (max(fire_at) - min(fire_at)) / 1000000 + 1 - count(*) from sluice_jobs.job where recurring_id = 'tick'"
must_be_none "rows left in ready and lease" "select (select count(*) from sluice_jobs.ready) + (select count(*) from sluice_jobs.lease)"
must_be_none "counts that do not match the jobs" \
  "select count(*) from (select state, sum(n) n from (select state, n from sluice_jobs.job_count union all select state, n from sluice_jobs.tally) a group by state) c full join (select state, count(*) n from sluice_jobs.job group by state) j using (state) where coalesce(c.n, 0) <> coalesce(j.n, 0)"
[ $bad = 0 ] && echo "chaos: all well" || { echo "chaos: FAILED" >&2; tail -5 "$folder"/node*.log >&2; exit 1; }
