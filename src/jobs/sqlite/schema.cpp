#include "jobs/sqlite/schema.h"

#include "jobs/sqlite/schema_hot.h"

#include <array>

namespace sluice::jobs {
namespace {

// `job` is wide and read by the page; the partial indexes keep the hot paths (claim, due, live keys) as small
// as the work at hand, whatever the length of the history. Large columns come last, so that lists which do
// not want them do not read their pages.
constexpr std::string_view kVersion1 = R"sql(
create table job (
  id integer primary key autoincrement,
  kind text not null, subject text not null, name text not null, queue text not null,
  state integer not null, origin integer not null, priority integer not null,
  created_at integer not null, run_at integer not null,
  started_at integer, finished_at integer, duration_ms integer,
  attempt integer not null default 0, max_attempts integer not null, crashes integer not null default 0,
  lease integer not null default 0, node text not null default '', pinned_node text, exclusive_key text,
  recurring_id text, fire_at integer, cancel_requested_at integer,
  progress_rows integer, progress_bytes integer, progress_total integer,
  blocking_job integer, started_by text not null, reason text not null default '',
  error_code text, error_message text, retry text not null, args text not null, result text not null default '');
create index job_ready on job (priority, run_at, id) where state = 1;
create index job_due on job (run_at) where state = 0;
create index job_node on job (node) where state = 2;
create index job_pinned on job (pinned_node) where pinned_node is not null and state in (0, 1);
create index job_live_key on job (exclusive_key, state) where exclusive_key is not null and state in (0, 1, 2);
create index job_state on job (state, id);
create index job_kind on job (kind, state, id);
create index job_subject on job (subject, state, id) where subject <> '';
create index job_queue on job (queue, state, id) where queue <> 'default';
create index job_recurring on job (recurring_id, state, id) where recurring_id is not null;
create index job_finished on job (state, finished_at) where finished_at is not null;

create table job_history (
  job integer not null, seq integer not null, state integer not null, at integer not null,
  attempt integer not null, node text not null, reason text not null, primary key (job, seq)) without rowid;
create table job_log (
  job integer not null, seq integer not null, at integer not null, attempt integer not null,
  level integer not null, text text not null, primary key (job, seq)) without rowid;

create table job_count (state integer primary key, n integer not null);
insert into job_count values (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0);
create table job_minute (
  minute integer not null, state integer not null, n integer not null, ms integer not null,
  primary key (minute, state)) without rowid;

create table recurring (
  id text primary key, kind text not null, subject text not null, name text not null, args text not null,
  queue text not null, phrase text not null, zone text not null, anchor integer, missed integer not null,
  window_ms integer not null, overlap integer not null, jitter_ms integer not null, retry text not null,
  enabled integer not null, exclusive_key text not null,
  next_fire_at integer, last_fire_at integer, last_job integer,
  paused_at integer, paused_by text not null default '', pause_reason text not null default '',
  retired_at integer, retired_reason text not null default '', error text not null default '',
  updated_at integer not null);
create index recurring_next on recurring (next_fire_at) where next_fire_at is not null;
-- The guard: a nominal time fires once, whoever fires it, and even after its job was forgotten.
create table fired (
  recurring_id text not null, fire_at integer not null, job integer not null,
  primary key (recurring_id, fire_at)) without rowid;

create table node (
  id text primary key, name text not null, pid integer not null, version text not null,
  workers integer not null, started_at integer not null) without rowid;
create table definition (
  kind text not null, name text not null, path text not null, text text not null, hash text not null,
  accepted_at integer not null, error text not null default '', primary key (kind, name));
create table store (identity text not null);
insert into store (identity) values (lower(hex(randomblob(8))));
)sql";

constexpr std::string_view kVersion2 = R"sql(
alter table job add column progress_phase text;
alter table job add column progress_total_rows integer;
alter table job_minute add column amount integer not null default 0;
)sql";

// Jobs that follow others (docs/decisions/0040), and keys that only one job holds (0041). Empty for plain
// jobs, whose rows grow by a byte a column.
constexpr std::string_view kVersion3 = R"sql(
alter table job add column parent integer;
alter table job add column follows integer;
alter table job add column delay_ms integer;
alter table job add column unique_key text;
create index job_parent on job (parent, state, id) where parent is not null;
create table settling (job integer primary key, state integer not null, at integer not null);
create table unique_key (key text primary key, job integer not null, until integer not null) without rowid;
create index unique_key_until on unique_key (until);
)sql";

// Batches (docs/decisions/0042).
constexpr std::string_view kVersion4 = R"sql(
alter table job add column batch integer;
create index job_batch on job (batch, state, id) where batch is not null;
create table batch (
  job integer primary key, total integer not null, succeeded integer not null, failed integer not null,
  deleted integer not null);
)sql";

// Queues that are paused or limited, and keys that limit how many run. A job that others of its key are in
// the way of is put aside (`blocked`: 1 exclusive key, 2 limit key) and out of the index that claims read.
constexpr std::string_view kVersion5 = R"sql(
alter table job add column limit_key text;
alter table job add column timeout_ms integer not null default 0;
alter table job add column latency_ms integer not null default 0;
alter table job add column blocked integer not null default 0;
drop index job_ready;
create index job_ready on job (priority, run_at, id) where state = 1 and blocked = 0;
create index job_ready_queue on job (queue, priority, run_at, id)
  where state = 1 and blocked = 0 and queue <> 'default';
create index job_waiting_key on job (blocked, exclusive_key, priority, run_at, id)
  where state = 1 and exclusive_key is not null;
create index job_waiting_limit on job (blocked, limit_key, priority, run_at, id)
  where state = 1 and limit_key is not null;
create index job_running_limit on job (limit_key) where state = 2 and limit_key is not null;
drop index job_node;
create index job_node on job (node, queue) where state = 2;
alter table recurring add column timeout_ms integer not null default 0;
alter table recurring add column pause_after_failures integer not null default 0;
alter table recurring add column failures integer not null default 0;
create table queue (
  name text primary key, max_running integer, paused_at integer, paused_by text not null default '',
  pause_reason text not null default '', updated_at integer not null) without rowid;
create table limit_rule (
  key text primary key, at_once integer not null, starts integer not null, window_ms integer not null,
  wake_at integer) without rowid;
create index limit_rule_wake on limit_rule (wake_at) where wake_at is not null;
create table limit_start (key text not null, at integer not null, job integer not null,
  primary key (key, at, job)) without rowid;
)sql";

// What a node has handlers for: a JSON array; null = its program does not say.
constexpr std::string_view kVersion6 = R"sql(
alter table node add column kinds text;
)sql";

// Whose rule is still wanted.
constexpr std::string_view kKeptRules = R"sql(
create index job_of_limit on job (limit_key) where limit_key is not null;
)sql";

constexpr std::array kVersions = {kVersion1, kVersion2, kVersion3,  kVersion4,
                                  kVersion5, kVersion6, kHotTables, kKeptRules};

}  // namespace

std::span<const std::string_view> sqlite_schema_versions() { return kVersions; }

}  // namespace sluice::jobs
