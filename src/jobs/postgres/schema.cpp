#include "jobs/postgres/schema.h"

#include "jobs/postgres/schema_flow.h"
#include "sql/migration.h"
#include "sql/transaction.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace sluice::jobs {
namespace {

// Small hot tables beside a wide one (docs/decisions/0031): `ready` holds what waits for a worker, `lease`
// what runs. A job's own row stays `enqueued` while it runs, and is written again when its attempt ends; with
// it its history, one JSON array a line. Times are microseconds of UTC, as in the SQLite store. Hot tables
// are vacuumed early: their dead rows are what a claim walks over.
constexpr std::string_view kUp1 = R"sql(
create function history_line(state int, at bigint, attempt int, node text, reason text) returns text
  language sql immutable parallel safe
  as $$ select json_build_array(state, at, attempt, node, reason)::text || E'\n' $$;

create table job (
  id bigint generated always as identity primary key,
  kind text not null, subject text not null, name text not null, queue text not null,
  state smallint not null, origin smallint not null, priority integer not null,
  created_at bigint not null, run_at bigint not null,
  started_at bigint, finished_at bigint, duration_ms bigint,
  attempt integer not null default 0, max_attempts integer not null, crashes integer not null default 0,
  lease bigint not null default 0, node text not null default '', pinned_node text, exclusive_key text,
  recurring_id text, fire_at bigint,
  progress_rows bigint, progress_bytes bigint, progress_total bigint, progress_phase text,
  progress_total_rows bigint,
  blocking_job bigint, started_by text not null, reason text not null default '',
  error_code text, error_message text, history text not null, retry text not null, args text not null,
  result text not null default '') with (fillfactor = 90);
create index job_due on job (run_at) where state = 0;
create index job_pinned on job (pinned_node) where pinned_node is not null and state in (0, 1);
create index job_live_key on job (exclusive_key) where exclusive_key is not null and state in (0, 1);
create index job_state on job (state, id);
create index job_kind on job (kind, state, id);
create index job_subject on job (subject, state, id) where subject <> '';
create index job_queue on job (queue, state, id) where queue <> 'default';
create index job_recurring on job (recurring_id, state, id) where recurring_id is not null;
create index job_finished on job (state, finished_at) where finished_at is not null;

create table ready (
  job bigint primary key, priority integer not null, run_at bigint not null, kind text not null,
  exclusive_key text, pinned_node text, token bigint not null, attempt integer not null)
  with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
create index ready_claim on ready (priority, run_at, job);
create table lease (
  job bigint primary key, token bigint not null, node text not null, attempt integer not null,
  started_at bigint not null, exclusive_key text, claim text not null,
  cancel_requested_at bigint, reason text not null default '',
  progress_rows bigint, progress_bytes bigint, progress_total bigint, progress_phase text,
  progress_total_rows bigint)
  with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
create index lease_node on lease (node);
-- Jobs of one key never run at once, whoever claims them.
create unique index lease_key on lease (exclusive_key) where exclusive_key is not null;

create table job_log (
  job bigint not null, seq bigint not null, at bigint not null, attempt integer not null,
  level smallint not null, text text not null, primary key (job, seq));

-- Every transaction adds its steps to `tally`; now and then they are summed into the two others. One counter
-- that everybody updates would make them all wait for each other.
create table tally (
  state smallint not null, n bigint not null, minute bigint not null default 0,
  finished bigint not null default 0, ms bigint not null default 0, amount bigint not null default 0);
create table job_count (state smallint primary key, n bigint not null);
create table job_minute (
  minute bigint not null, state smallint not null, n bigint not null, ms bigint not null,
  amount bigint not null, primary key (minute, state));
-- Rises with every transaction that others may want to look at.
create sequence change;

create table recurring (
  id text primary key, kind text not null, subject text not null, name text not null, args text not null,
  queue text not null, phrase text not null, zone text not null, anchor bigint, missed integer not null,
  window_ms bigint not null, overlap integer not null, jitter_ms bigint not null, retry text not null,
  enabled integer not null, exclusive_key text not null,
  next_fire_at bigint, last_fire_at bigint, last_job bigint,
  paused_at bigint, paused_by text not null default '', pause_reason text not null default '',
  retired_at bigint, retired_reason text not null default '', error text not null default '',
  updated_at bigint not null);
create index recurring_next on recurring (next_fire_at) where next_fire_at is not null;
-- The guard: a nominal time fires once, whoever fires it, and even after its job was forgotten.
create table fired (
  recurring_id text not null, fire_at bigint not null, job bigint not null,
  primary key (recurring_id, fire_at));

create table node (
  id text primary key, name text not null, pid bigint not null, version text not null,
  workers integer not null, started_at bigint not null, expires_at timestamptz not null);
create table definition (
  kind text not null, name text not null, path text not null, text text not null, hash text not null,
  accepted_at bigint not null, error text not null default '', primary key (kind, name));
create table store (identity text not null);
insert into store (identity) values (substr(md5(gen_random_uuid()::text), 1, 16));
)sql";

constexpr std::string_view kDown1 = R"sql(
drop table store, definition, node, fired, recurring, job_minute, job_count, tally, job_log, lease, ready, job;
drop sequence change;
drop function history_line(int, bigint, int, text, text);
)sql";

// Queues that are paused or limited, and keys that limit how many run. A job that others of its key are in
// the way of is put aside (`blocked`: 1 exclusive key, 2 limit key) and out of the indexes that claims read.
// `latest`: to be deleted, not run, if it has not begun by then.
constexpr std::string_view kLimitsUp = R"sql(
alter table job add column limit_key text, add column timeout_ms bigint not null default 0,
  add column latency_ms bigint not null default 0;
create index job_limit on job (limit_key) where limit_key is not null and state in (0, 1);
alter table ready add column queue text not null default 'default', add column limit_key text,
  add column latest bigint, add column blocked smallint not null default 0;
update ready r set queue = j.queue from job j where j.id = r.job and j.queue <> 'default';
drop index ready_claim;
create index ready_claim on ready (priority, run_at, job) where blocked = 0;
create index ready_queue on ready (queue, priority, run_at, job) where blocked = 0;
create index ready_key on ready (blocked, exclusive_key, priority, run_at, job) where exclusive_key is not null;
create index ready_limit on ready (blocked, limit_key, priority, run_at, job) where limit_key is not null;
alter table lease add column queue text not null default 'default', add column limit_key text;
update lease l set queue = j.queue from job j where j.id = l.job and j.queue <> 'default';
create index lease_limit on lease (limit_key) where limit_key is not null;
alter table recurring add column timeout_ms bigint not null default 0,
  add column pause_after_failures integer not null default 0, add column failures integer not null default 0;
alter table node add column skew_us bigint;
create table queue (
  name text primary key, max_running integer, paused_at bigint, paused_by text not null default '',
  pause_reason text not null default '', updated_at bigint not null);
create table limit_rule (
  key text primary key, at_once integer not null, starts integer not null, window_ms bigint not null,
  wake_at bigint);
create index limit_rule_wake on limit_rule (wake_at) where wake_at is not null;
create table limit_start (key text not null, at bigint not null, job bigint not null,
  primary key (key, at, job));
-- What waited for a parent is made ready with its queue and limits.
do $$ begin
  execute replace(replace(replace(pg_get_functiondef('settle(int)'::regprocedure),
    'j.lease, j.attempt,', 'j.lease, j.attempt, j.queue, j.limit_key, j.latency_ms, j.started_at,'),
    'token, attempt)', 'token, attempt, queue, limit_key, latest)'),
    'lease + 1, attempt from u', 'lease + 1, attempt, queue, limit_key, '
      'case when latency_ms > 0 and started_at is null then run_at + latency_ms * 1000 end from u');
end $$;
)sql";

constexpr std::string_view kLimitsDown = R"sql(
do $$ begin
  execute replace(replace(replace(pg_get_functiondef('settle(int)'::regprocedure),
    'j.lease, j.attempt, j.queue, j.limit_key, j.latency_ms, j.started_at,', 'j.lease, j.attempt,'),
    'token, attempt, queue, limit_key, latest)', 'token, attempt)'),
    'lease + 1, attempt, queue, limit_key, '
      'case when latency_ms > 0 and started_at is null then run_at + latency_ms * 1000 end from u',
    'lease + 1, attempt from u');
end $$;
drop table queue, limit_rule, limit_start;
alter table node drop column skew_us;
alter table recurring drop column failures, drop column pause_after_failures, drop column timeout_ms;
drop index lease_limit, ready_limit, ready_key, ready_queue, ready_claim, job_limit;
alter table lease drop column limit_key, drop column queue;
alter table ready drop column blocked, drop column latest, drop column limit_key, drop column queue;
create index ready_claim on ready (priority, run_at, job);
alter table job drop column latency_ms, drop column timeout_ms, drop column limit_key;
)sql";

// Which node's folder holds which definition file.
constexpr std::string_view kDeclarationsUp = R"sql(
create table declaration (
  node text not null, path text not null, hash text not null, declared_at timestamptz not null default now(),
  primary key (node, path));
)sql";

constexpr std::string_view kDeclarationsDown = "drop table declaration";

// What a node has handlers for: a JSON array; null = its program does not say.
constexpr std::string_view kKindsUp = "alter table node add column kinds text";
constexpr std::string_view kKindsDown = "alter table node drop column kinds";

// Which jobs a key limits, whatever their state: its rule is kept for as long as there is one. And the jobs
// of a subject by their kind, so that two that hardly ever meet are found to do so at once.
constexpr std::string_view kKeptRulesUp = R"sql(
drop index job_limit, job_subject;
create index job_limit on job (limit_key, state) where limit_key is not null;
create index job_subject on job (subject, kind, state, id) where subject <> '';
)sql";
constexpr std::string_view kKeptRulesDown = R"sql(
drop index job_limit, job_subject;
create index job_limit on job (limit_key) where limit_key is not null and state in (0, 1);
create index job_subject on job (subject, state, id) where subject <> '';
)sql";

constexpr std::array kUp = {kUp1,     kFollowingUp, kBatchesUp,  kLimitsUp, kDeclarationsUp,
                            kKindsUp, kPassingUp,   kKeptRulesUp};
constexpr std::array kDown = {kDown1,     kFollowingDown, kBatchesDown,  kLimitsDown, kDeclarationsDown,
                              kKindsDown, kPassingDown,   kKeptRulesDown};
static_assert(kUp.size() == kDown.size(), "every step can be taken back");

}  // namespace

std::span<const std::string_view> postgres_schema_versions() { return kUp; }

Result<void> revert_postgres_schema(sql::Connection& connection, std::size_t version) {
  SLUICE_TRY(auto transaction, sql::Transaction::begin(connection));
  SLUICE_TRY(const bool known, sql::table_exists(connection, "_sluice_migration"));
  if (!known) return {};
  std::size_t now = 0;
  {
    SLUICE_TRY(auto select, connection.prepare(
                                "select version from _sluice_migration where component = 'jobs' for update"));
    SLUICE_TRY(const bool found, select->step());
    if (found) now = static_cast<std::size_t>(select->int64(0));
  }
  if (now > kDown.size()) {
    return fail(ErrorCode::unsupported,
                fmt::format("the job store has version {}, this program knows {}; use the newer program", now,
                            kDown.size()));
  }
  for (; now > version; --now) SLUICE_CHECK(connection.execute(kDown[now - 1]));
  SLUICE_TRY(auto note,
             connection.prepare("update _sluice_migration set version = ? where component = 'jobs'"));
  note->bind_int64(1, static_cast<std::int64_t>(now));
  SLUICE_CHECK(note->run());
  return transaction.commit();
}

}  // namespace sluice::jobs
