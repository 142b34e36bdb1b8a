// The step of the SQLite job store's schema to hot tables beside a wide one (docs/decisions/0060).
#pragma once

#include <string_view>

namespace sluice::jobs {

// `ready` holds what waits for a worker, `lease` what runs. A job's own row stays `enqueued` while it runs,
// and is written again when its attempt ends; with it its history, one JSON array a line. So a plain job
// costs its row two writes, and no index holds it before its end but the one that claims read.
//
// `lease` has no index for its nodes: it is as long as all nodes' workers are many.
constexpr std::string_view kHotTables = R"sql(
create table ready (
  job integer primary key, priority integer not null, run_at integer not null, blocked integer not null default 0,
  kind text not null, queue text not null, token integer not null, attempt integer not null,
  exclusive_key text, limit_key text, pinned_node text, recurring_id text);
create table lease (
  job integer primary key, token integer not null, node text not null, attempt integer not null,
  started_at integer not null, queue text not null, exclusive_key text, limit_key text, recurring_id text,
  cancel_requested_at integer, reason text not null default '',
  progress_rows integer, progress_bytes integer, progress_total integer, progress_phase text,
  progress_total_rows integer);

insert into ready (job, priority, run_at, blocked, kind, queue, token, attempt, exclusive_key, limit_key,
    pinned_node, recurring_id)
  select id, priority, run_at, blocked, kind, queue, lease + 1, attempt, exclusive_key, limit_key, pinned_node,
    recurring_id from job where state = 1;
insert into lease (job, token, node, attempt, started_at, queue, exclusive_key, limit_key, recurring_id,
    cancel_requested_at, reason, progress_rows, progress_bytes, progress_total, progress_phase,
    progress_total_rows)
  select id, lease, node, attempt, coalesce(started_at, run_at), queue, exclusive_key, limit_key, recurring_id,
    cancel_requested_at, reason, progress_rows, progress_bytes, progress_total, progress_phase,
    progress_total_rows from job where state = 2;

create table job_next (
  id integer primary key autoincrement,
  kind text not null, subject text not null, name text not null, queue text not null,
  state integer not null, origin integer not null, priority integer not null,
  created_at integer not null, run_at integer not null,
  started_at integer, finished_at integer, duration_ms integer,
  attempt integer not null default 0, max_attempts integer not null, crashes integer not null default 0,
  lease integer not null default 0, node text not null default '', pinned_node text, exclusive_key text,
  recurring_id text, fire_at integer,
  progress_rows integer, progress_bytes integer, progress_total integer, progress_phase text,
  progress_total_rows integer,
  blocking_job integer, started_by text not null, reason text not null default '',
  error_code text, error_message text, limit_key text, timeout_ms integer not null default 0,
  latency_ms integer not null default 0, parent integer, follows integer, delay_ms integer, unique_key text,
  batch integer, retry text not null, args text not null, result text not null default '',
  history text not null);
-- What runs goes back to where it stood before its attempt: the lease has the rest.
insert into job_next
  select id, kind, subject, name, queue, iif(state = 2, 1, state), origin, priority, created_at, run_at,
    iif(state = 2 and attempt <= 1, null, started_at), finished_at, duration_ms,
    iif(state = 2, max(attempt - 1, 0), attempt), max_attempts, crashes, iif(state = 2, max(lease - 1, 0), lease),
    iif(state = 2, '', node), pinned_node, exclusive_key, recurring_id, fire_at,
    iif(state = 2, null, progress_rows), iif(state = 2, null, progress_bytes),
    iif(state = 2, null, progress_total), iif(state = 2, null, progress_phase),
    iif(state = 2, null, progress_total_rows),
    blocking_job, started_by, iif(state = 2, '', reason), error_code, error_message, limit_key, timeout_ms,
    latency_ms, parent, follows, delay_ms, unique_key, batch, retry, args, result,
    coalesce((select group_concat(line, '') from (
      select json_array(h.state, h.at, h.attempt, h.node, h.reason) || char(10) as line from job_history h
      where h.job = job.id and (job.state <> 2 or h.state <> 2 or h.seq < (
        select max(m.seq) from job_history m where m.job = job.id)) order by h.seq)), '')
  from job order by id;
-- The numbers go on where they were, whatever was forgotten.
delete from sqlite_sequence where name = 'job_next';
insert into sqlite_sequence (name, seq) select 'job_next', seq from sqlite_sequence where name = 'job';
drop table job;
drop table job_history;
alter table job_next rename to job;

create index ready_claim on ready (priority, run_at, job) where blocked = 0;
create index ready_queue on ready (queue, blocked, priority, run_at, job) where queue <> 'default';
create index ready_key on ready (blocked, exclusive_key, priority, run_at, job) where exclusive_key is not null;
create index ready_limit on ready (blocked, limit_key, priority, run_at, job) where limit_key is not null;
create index ready_pinned on ready (pinned_node) where pinned_node is not null;
create index lease_key on lease (exclusive_key) where exclusive_key is not null;
create index lease_limit on lease (limit_key) where limit_key is not null;
create index job_due on job (run_at) where state = 0;
create index job_pinned on job (pinned_node) where pinned_node is not null and state in (0, 1);
create index job_live_key on job (exclusive_key) where exclusive_key is not null and state in (0, 1);
create index job_state on job (state, id) where state <> 1;
create index job_kind on job (kind, state, id) where state <> 1;
create index job_subject on job (subject, state, id) where subject <> '';
create index job_queue on job (queue, state, id) where queue <> 'default';
create index job_recurring on job (recurring_id, state, id) where recurring_id is not null;
create index job_finished on job (state, finished_at) where finished_at is not null;
create index job_parent on job (parent, state, id) where parent is not null;
create index job_batch on job (batch, state, id) where batch is not null;
)sql";

}  // namespace sluice::jobs
