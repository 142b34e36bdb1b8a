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

constexpr std::array kUp = {kUp1, kFollowingUp, kBatchesUp};
constexpr std::array kDown = {kDown1, kFollowingDown, kBatchesDown};
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
