// The steps of the PostgreSQL schema that let jobs follow others, hold keys alone, and belong to batches.
#pragma once

#include <string_view>

namespace sluice::jobs {

// Jobs that follow others (docs/decisions/0040), and keys that only one job holds (0041). Plain jobs have
// nothing in the new columns, and their ends call no function: the trigger's condition is all they pay.
inline constexpr std::string_view kFollowingUp = R"sql(
alter table job add column parent bigint, add column follows smallint, add column delay_ms bigint,
  add column unique_key text, add column waited_for boolean;
create index job_parent on job (parent, state, id) where parent is not null;
-- Jobs that ended and whose children are not all seen to.
create table settling (job bigint primary key, state smallint not null, at bigint not null);
create table unique_key (key text primary key, job bigint not null, until bigint not null);
create index unique_key_until on unique_key (until);

-- Settles up to `budget` awaiting jobs whose parent has ended; what it decides is consequence_of() in
-- src/jobs/store/following.cpp. Jobs that end take their own children along by way of `settling`, so that a
-- chain of any length is walked without recursion.
create function settle(budget int) returns int language plpgsql as $$
declare
  p record;
  done int := 0;
  n int;
  m bigint;
  why text;
begin
  while done < budget loop
    select s.job, s.state, s.at into p from settling s order by s.job desc limit 1 for update skip locked;
    exit when not found;
    why := format('job %s, its parent, has ended: %s', p.job,
      case p.state when 5 then 'succeeded' when 6 then 'failed' when 7 then 'deleted' else 'skipped' end);
    m := p.at - mod(p.at, 60000000);
    with c as materialized (
      select id, case
          when (coalesce(follows, 0) = 0 and p.state <> 5) or (follows = 2 and p.state = 5) then 7
          when greatest(run_at, p.at + coalesce(delay_ms, 0) * 1000) > p.at then 0 else 1 end as s,
        greatest(run_at, p.at + coalesce(delay_ms, 0) * 1000) as run_at
      from job where parent = p.job and parent is not null and state = 3
        and not (coalesce(follows, 0) = 0 and p.state = 6) order by id limit budget - done for update),
    u as (
      update job j set state = c.s, run_at = case when c.s = 7 then j.run_at else c.run_at end,
        finished_at = case when c.s = 7 then p.at end, reason = case when c.s = 7 then why else '' end,
        history = j.history || history_line(c.s, p.at, j.attempt, '', why)
      from c where j.id = c.id
      returning j.id, j.state, j.priority, j.run_at, j.kind, j.exclusive_key, j.pinned_node, j.lease, j.attempt,
        j.finished_at),
    r as (
      insert into ready (job, priority, run_at, kind, exclusive_key, pinned_node, token, attempt)
      select id, priority, run_at, kind, exclusive_key, pinned_node, lease + 1, attempt from u where state = 1),
    t as (
      insert into tally (state, n, minute, finished)
      select 3, -count(*), 0, 0 from u having count(*) > 0
      union all select state, count(*), m, count(finished_at) from u group by state)
    select count(*) into n from u;
    if n < budget - done then
      delete from settling where job = p.job;
    end if;
    done := done + n;
  end loop;
  return done;
end $$;

-- However a job comes to its end: what waits for it settles in the same transaction.
create function job_ended() returns trigger language plpgsql as $$
begin
  insert into settling (job, state, at) values (new.id, new.state, coalesce(new.finished_at, new.run_at))
    on conflict (job) do update set state = excluded.state, at = excluded.at;
  if pg_trigger_depth() = 1 then
    perform settle(1000);
  end if;
  return null;
end $$;
create trigger job_ended after update of state on job for each row
  when (new.waited_for and new.state in (5, 6, 7, 8) and old.state <> new.state) execute function job_ended();
)sql";

inline constexpr std::string_view kFollowingDown = R"sql(
drop trigger job_ended on job;
drop function job_ended();
drop function settle(int);
drop table unique_key, settling;
drop index job_parent;
alter table job drop column parent, drop column follows, drop column delay_ms, drop column unique_key,
  drop column waited_for;
)sql";

// Batches (docs/decisions/0042). Members' ends are noted in `batch_step` by a trigger, whose condition is all
// that other jobs pay; fold_batches() sums the notes.
inline constexpr std::string_view kBatchesUp = R"sql(
alter table job add column batch bigint;
create index job_batch on job (batch, state, id) where batch is not null;
create table batch (
  job bigint primary key, total bigint not null default 0, succeeded bigint not null default 0,
  failed bigint not null default 0, deleted bigint not null default 0);
create table batch_step (
  batch bigint not null, total int not null, succeeded int not null, failed int not null, deleted int not null);
create index batch_step_batch on batch_step (batch);

-- One trigger for both, since plain jobs pay for its condition.
drop trigger job_ended on job;
drop function job_ended();
create function job_moved() returns trigger language plpgsql as $$
declare
  s int := (new.state = 5)::int - (old.state = 5)::int;
  f int := (new.state = 6)::int - (old.state = 6)::int;
  d int := (new.state in (7, 8))::int - (old.state in (7, 8))::int;
begin
  if new.batch is not null and (s <> 0 or f <> 0 or d <> 0) then
    insert into batch_step (batch, total, succeeded, failed, deleted) values (new.batch, 0, s, f, d);
  end if;
  if new.waited_for and new.state in (5, 6, 7, 8) then
    insert into settling (job, state, at) values (new.id, new.state, coalesce(new.finished_at, new.run_at))
      on conflict (job) do update set state = excluded.state, at = excluded.at;
    if pg_trigger_depth() = 1 and coalesce(current_setting('sluice.settling', true), '') <> 'on' then
      perform settle(1000);
    end if;
  end if;
  return null;
end $$;
create trigger job_moved after update of state on job for each row
  when (old.state <> new.state and (new.waited_for or new.batch is not null)) execute function job_moved();

-- Up to `most` batches, inner ones (which are younger) first. It passes over a batch that somebody adds to just
-- now: completions wait for nobody. What it decides is batch_state() in src/jobs/store/batching.cpp.
create function fold_batches(most int, at bigint) returns int language plpgsql as $$
declare
  b record;
  id_ bigint;
  was int;
  becomes int;
  why text;
  m bigint := at - mod(at, 60000000);
  n int := 0;
begin
  while n < most loop
    select b2.job into id_ from (select distinct batch from batch_step) s join batch b2 on b2.job = s.batch
      order by b2.job desc limit 1 for update of b2 skip locked;
    exit when not found;
    with gone as (delete from batch_step where batch = id_ returning *),
    summed as (select sum(total) as t, sum(succeeded) as s, sum(failed) as f, sum(deleted) as d from gone)
    update batch set total = batch.total + t, succeeded = batch.succeeded + s, failed = batch.failed + f,
      deleted = batch.deleted + d
    from summed where batch.job = id_ and t is not null returning batch.* into b;
    if found then
      select state into was from job where id = id_ for no key update;
      becomes := case when b.total > b.succeeded + b.failed + b.deleted then 3 when b.failed > 0 then 6
        when b.succeeded = b.total then 5 else 7 end;
      if was <> becomes then
        why := case when becomes = 3 then 'one of its jobs is run again' else
          format('its %s jobs have ended: %s succeeded, %s failed, %s deleted', b.total, b.succeeded, b.failed,
            b.deleted) end;
        update job set state = becomes, finished_at = case when becomes <> 3 then at end,
          reason = case when becomes = 7 then why else '' end,
          history = history || case when was <> 3 and becomes <> 3
            then history_line(3, at, 0, '', 'one of its jobs is run again') else '' end
            || history_line(becomes, at, 0, '', why)
        where id = id_;
        insert into tally (state, n, minute, finished) values (was, -1, 0, 0),
          (becomes, 1, m, case when becomes <> 3 then 1 else 0 end);
      end if;
    end if;
    n := n + 1;
  end loop;
  return n;
end $$;

-- What settles outside a trigger counts all that it settles, what ends along with it too.
create function settle_left(budget int) returns int language plpgsql as $$
declare
  n int;
begin
  perform set_config('sluice.settling', 'on', true);
  n := settle(budget);
  perform set_config('sluice.settling', '', true);
  return n;
end $$;
)sql";

inline constexpr std::string_view kBatchesDown = R"sql(
drop function settle_left(int);
drop function fold_batches(int, bigint);
drop trigger job_moved on job;
drop function job_moved();
create function job_ended() returns trigger language plpgsql as $$
begin
  insert into settling (job, state, at) values (new.id, new.state, coalesce(new.finished_at, new.run_at))
    on conflict (job) do update set state = excluded.state, at = excluded.at;
  if pg_trigger_depth() = 1 then
    perform settle(1000);
  end if;
  return null;
end $$;
create trigger job_ended after update of state on job for each row
  when (new.waited_for and new.state in (5, 6, 7, 8) and old.state <> new.state) execute function job_ended();
drop table batch_step, batch;
drop index job_batch;
alter table job drop column batch;
)sql";

// What a caller's open transaction holds is passed over and seen to later: ends wait for nobody.
inline constexpr std::string_view kPassingUp = R"sql(
do $$ begin
  execute replace(replace(replace(replace(pg_get_functiondef('settle(int)'::regprocedure),
    'p record;', 'p record; passed bigint[] := ''{}'';'),
    'from settling s order by', 'from settling s where s.job <> all (passed) order by'),
    'limit budget - done for update)', 'limit budget - done for update skip locked)'),
    'delete from settling where job = p.job;', 'if exists (select 1 from job where parent = p.job and parent '
      'is not null and state = 3 and not (coalesce(follows, 0) = 0 and p.state = 6)) then '
      'passed := passed || p.job; else delete from settling where job = p.job; end if;');
  execute replace(pg_get_functiondef('fold_batches(int, bigint)'::regprocedure),
    'on b2.job = s.batch
      order by b2.job desc limit 1 for update of b2 skip locked',
    'on b2.job = s.batch join job j on j.id = b2.job
      order by b2.job desc limit 1 for update of b2 skip locked for no key update of j skip locked');
end $$;
)sql";

inline constexpr std::string_view kPassingDown = R"sql(
do $$ begin
  execute replace(replace(replace(replace(pg_get_functiondef('settle(int)'::regprocedure),
    'p record; passed bigint[] := ''{}'';', 'p record;'),
    'from settling s where s.job <> all (passed) order by', 'from settling s order by'),
    'limit budget - done for update skip locked)', 'limit budget - done for update)'),
    'if exists (select 1 from job where parent = p.job and parent '
      'is not null and state = 3 and not (coalesce(follows, 0) = 0 and p.state = 6)) then '
      'passed := passed || p.job; else delete from settling where job = p.job; end if;',
    'delete from settling where job = p.job;');
  execute replace(pg_get_functiondef('fold_batches(int, bigint)'::regprocedure),
    'on b2.job = s.batch join job j on j.id = b2.job
      order by b2.job desc limit 1 for update of b2 skip locked for no key update of j skip locked',
    'on b2.job = s.batch
      order by b2.job desc limit 1 for update of b2 skip locked');
end $$;
)sql";

}  // namespace sluice::jobs
