// How attempts end on PostgreSQL: successes and failures in one statement for all, the rest one by one.
#include "jobs/postgres/batching.h"
#include "jobs/postgres/parts.h"
#include "jobs/store/ending.h"
#include "jobs/store/history.h"
#include "jobs/store/recurring_change.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace sluice::jobs {
namespace {

// Only who holds the lease may end the job: its row goes, and with it the right. The lines of the history are
// put together here: history_line() takes longer than all else that is done to a row. `why` comes as JSON.
constexpr std::string_view kFinish =
    "with v as materialized (select * from json_to_recordset(?1::json) as x(i int, job bigint, token bigint, "
    "s smallint, result text, code text, message text, why text, amount bigint, ms bigint)), "
    "f as (delete from lease l using v where l.job = v.job and l.token = v.token returning l.*, v.i, v.s, "
    "v.result, v.code, v.message, v.why, v.amount, v.ms, to_json(l.node) as node_json), "
    "u as (update job j set state = f.s, lease = f.token, attempt = f.attempt, node = f.node, started_at = "
    "f.started_at, finished_at = ?2::bigint, duration_ms = coalesce(f.ms, greatest(0, (?2::bigint - "
    "f.started_at) / 1000)), "
    "error_code = "
    "f.code, error_message = f.message, reason = '', result = f.result, progress_rows = f.progress_rows, "
    "progress_bytes = f.progress_bytes, progress_total = "
    "f.progress_total, progress_phase = f.progress_phase, progress_total_rows = f.progress_total_rows, "
    "history = j.history || '[2, ' || f.started_at || ', ' || f.attempt || ', ' || f.node_json || ', \"\"]' "
    "|| "
    "chr(10) || '[' || f.s || ', ' || ?2::bigint || ', ' || f.attempt || ', ' || f.node_json || ', ' || "
    "f.why || "
    "']' || chr(10) from f where j.id = f.job returning f.i, f.s, j.duration_ms, f.amount, "
    "j.waited_for, j.batch, f.exclusive_key, f.limit_key, j.recurring_id), "
    "t as (insert into tally (state, n, minute, finished, ms, amount) select 2, -count(*), 0, 0, 0, 0 from u "
    "having count(*) > 0 union all select s, count(*), ?3::bigint, count(*), sum(duration_ms), sum(amount) "
    "from u "
    "group by s) "
    "select i, s, {}, waited_for, batch is not null, exclusive_key, limit_key, recurring_id from u";

constexpr std::string_view kEndOne =
    "update job j set state = ?1, lease = l.token, attempt = l.attempt - ?2, node = l.node, started_at = "
    "l.started_at, finished_at = ?3, duration_ms = ?4, run_at = coalesce(?5, j.run_at), error_code = case "
    "when ?6 = 1 then j.error_code else ?7 end, error_message = case when ?6 = 1 then j.error_message else "
    "?8 "
    "end, result = case when ?9 = '' and ?2 = 1 then j.result else ?9 end, reason = ?10, progress_rows = "
    "l.progress_rows, progress_bytes = l.progress_bytes, progress_total = l.progress_total, progress_phase = "
    "l.progress_phase, progress_total_rows = l.progress_total_rows, history = j.history || history_line(2, "
    "l.started_at, l.attempt, l.node, '') || ?11 from lease l where j.id = ?12 and l.job = j.id";

constexpr int kFoldAtOnce = 100;
constexpr int kTries = 3;

bool is_simple(const Completion& completion) {
  return completion.count_attempt &&
         (completion.to == JobState::succeeded || completion.to == JobState::failed);
}

// A text as JSON; mostly there is none.
std::string as_json(std::string_view text) {
  if (text.empty()) return "\"\"";
  return nlohmann::json(storable(text)).dump();
}

// By hand, as it is done for every job: {"i":0,"job":7,…}.
void add_row(std::string& rows, std::size_t index, const Completion& completion) {
  rows += rows.empty() ? '[' : ',';
  std::string why = completion.reason;
  if (const auto& error = completion.error; error && why.empty())
    why = fmt::format("{}: {}", error->code, error->message);
  fmt::format_to(std::back_inserter(rows),
                 R"({{"i":{},"job":{},"token":{},"s":{},"amount":{},"result":{},"why":{})", index,
                 completion.lease.job.value(), completion.lease.token, static_cast<int>(completion.to),
                 completion.amount, as_json(completion.result), as_json(as_json(why)));
  if (completion.duration_ms)
    fmt::format_to(std::back_inserter(rows), R"(,"ms":{})", *completion.duration_ms);
  if (const auto& error = completion.error) {
    fmt::format_to(std::back_inserter(rows), R"(,"code":{},"message":{})", as_json(error->code),
                   as_json(error->message));
  }
  rows += '}';
}

Result<std::optional<JobState>> end_one(Database& database, Tally& tally, const Completion& completion,
                                        Timestamp now, FreedKeys& freed) {
  const JobId id = completion.lease.job;
  std::optional<Held> held;
  std::string recurring_id;
  SLUICE_CHECK(database.each(
      "select l.attempt, l.started_at, l.node, j.exclusive_key, l.cancel_requested_at is not null, l.reason, "
      "j.recurring_id, j.limit_key from lease l join job j on j.id = l.job where l.job = ? and l.token = ? "
      "for update of "
      "l",
      [&](const Row& row) -> Result<void> {
        held = Held{.state = JobState::processing,
                    .lease = completion.lease.token,
                    .attempt = static_cast<int>(row.integer(0)),
                    .started_at = row.maybe_time(1),
                    .node = row.text(2),
                    .exclusive_key = row.text(3),
                    .cancelled = row.integer(4) != 0,
                    .reason = row.text(5)};
        recurring_id = row.text(6);
        freed.add(row.text(3), row.text(7));
        return {};
      },
      id, completion.lease.token));
  if (!held) return std::nullopt;
  std::optional<std::string> retired;
  if (goes_on(completion.to)) {
    SLUICE_TRY(retired, retired_for(database, recurring_id));
  }
  SLUICE_TRY(const Ending ending,
             end_of(
                 completion, *held, retired,
                 [&](std::string_view key) { return next_tick(database, key, now); }, now));
  SLUICE_CHECK(tally.step(id, JobState::processing, ending.to, ending.duration_ms, completion.amount));
  const bool given_back = completion.to == JobState::enqueued;
  const auto error_code = completion.error ? std::optional(completion.error->code) : std::nullopt;
  const auto error_message = completion.error ? std::optional(completion.error->message) : std::nullopt;
  SLUICE_CHECK(database.run(kEndOne, ending.to, completion.count_attempt ? 0 : 1,
                            is_at_rest(ending.to) ? std::optional(now) : std::nullopt,
                            given_back ? std::nullopt : std::optional(ending.duration_ms), ending.until,
                            given_back ? 1 : 0, error_code, error_message, completion.result, ending.reason,
                            history_line(ending.to, now, held->attempt, held->node, ending.why), id));
  // Given back before its work was done: its start does not count.
  if (!completion.count_attempt) {
    SLUICE_CHECK(database.run(
        "delete from limit_start s using lease l where l.job = ? and l.limit_key = s.key and s.at = "
        "l.started_at and s.job = l.job",
        id));
  }
  SLUICE_CHECK(database.run("delete from lease where job = ?", id));
  if (ending.to == JobState::enqueued) SLUICE_CHECK(make_ready(database, id));
  if (goes_on(ending.to)) SLUICE_CHECK(cut_history(database, id));
  return ending.to;
}

Result<void> count_runs(PostgresPool& pool, std::span<const std::pair<std::string, std::size_t>> runs,
                        std::span<const Completion> completions, Timestamp now) {
  std::vector<std::string> well;
  std::vector<std::pair<std::string, CountedRun>> failed;
  for (const auto& [id, index] : runs) {
    const Completion& one = completions[index];
    if (one.to == JobState::succeeded) {
      well.push_back(id);
    } else {
      const std::string_view code = one.error ? std::string_view(one.error->code) : "";
      failed.emplace_back(id, CountedRun{.job = one.lease.job, .failed = true, .code = code});
    }
  }
  if (!well.empty()) {
    SLUICE_CHECK(pool.once([&](Database& database) -> Result<void> {
      SLUICE_CHECK(database.run(
          "update recurring set failures = 0 where id = any(?::text[]) and failures > 0", array_text(well)));
      return {};
    }));
  }
  if (failed.empty()) return {};
  // In one order, so that two that count do not wait for each other in a circle.
  std::ranges::sort(failed, {}, [](const auto& one) { return one.first; });
  return pool.write([&](Database& database) -> Result<void> {
    for (const auto& [id, run] : failed) SLUICE_CHECK(count_run(database, id, run, now));
    return {};
  });
}

}  // namespace

// An ending may have been written although the connection was lost before anybody said so.
Result<std::optional<JobState>> PostgresJobStore::ended_before(Database& database, Lease lease) {
  {
    std::lock_guard lock(mutex_);
    if (!uncertain_ends_.contains({lease.job.value(), lease.token})) return std::nullopt;
  }
  std::optional<JobState> state;
  SLUICE_CHECK(database.each(
      "select state from job where id = ? and lease = ? and not exists (select 1 from lease where job = id)",
      [&](const Row& row) -> Result<void> {
        state = static_cast<JobState>(row.integer(0));
        return {};
      },
      lease.job, lease.token));
  return state;
}

Result<std::vector<std::optional<JobState>>> PostgresJobStore::complete(
    std::span<const Completion> completions, Timestamp now) {
  std::vector<std::optional<JobState>> ended(completions.size());
  std::string simple;  // a JSON array, its end not yet written
  bool all_simple = true;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const Completion& completion = completions[i];
    if (!transition_allowed(JobState::processing, completion.to)) {
      return fail(ErrorCode::internal, fmt::format("job {} cannot go from processing to {}",
                                                   completion.lease.job.value(), to_string(completion.to)));
    }
    if (is_simple(completion)) {
      add_row(simple, i, completion);
    } else {
      all_simple = false;
    }
  }
  if (completions.empty()) return ended;
  std::int64_t change = 0;
  bool followed = false, batched = false;
  FreedKeys freed;
  std::vector<std::pair<std::string, std::size_t>> runs;  // of recurring jobs, each with its completion
  const auto finish_simple = [&](Database& database) -> Result<void> {
    std::ranges::fill(ended,
                      std::nullopt);  // a second try counts what it finds, not what the first one undid
    runs.clear();
    if (simple.empty()) return {};
    return database.each(
        fmt::format(kFinish, pool_.touching()),
        [&](const Row& row) -> Result<void> {
          ended[static_cast<std::size_t>(row.integer(0))] = static_cast<JobState>(row.integer(1));
          change = row.integer(2);
          followed = followed || row.integer(3) != 0;
          batched = batched || row.integer(4) != 0;
          freed.add(row.text(5), row.text(6));
          if (std::string id = row.text(7); !id.empty())
            runs.emplace_back(std::move(id), static_cast<std::size_t>(row.integer(0)));
          return {};
        },
        simple + ']', now, minute_of(now));
  };
  const auto finish_all = [&](Database& database) -> Result<void> {
    SLUICE_CHECK(finish_simple(database));
    Tally tally(database, now);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      if (is_simple(completions[i])) continue;
      SLUICE_TRY(ended[i], end_one(database, tally, completions[i], now, freed));
      if (ended[i] == JobState::enqueued) forget_mark();
    }
    return tally.close();
  };
  const auto note = [&](bool uncertain) {
    std::lock_guard lock(mutex_);
    for (const Completion& one : completions) {
      const std::pair key(one.lease.job.value(), one.lease.token);
      if (uncertain) {
        uncertain_ends_.insert(key);
      } else {
        uncertain_ends_.erase(key);
      }
    }
  };
  // A job that a caller's open transaction holds is its own affair: it must not keep the others waiting.
  const auto finish = [&] { return all_simple ? pool_.once(finish_simple, 1) : pool_.write(finish_all, 1); };
  auto done = finish();
  for (int tries = 1; !done && done.error().code == ErrorCode::locked && tries < kTries; ++tries) {
    const auto held = held_elsewhere(completions);
    if (!held || std::ranges::find(*held, true) != held->end()) break;
    done = finish();
  }
  if (done) {
    done = pool_.once([&](Database& database) -> Result<void> {
      for (std::size_t i = 0; i < completions.size(); ++i) {
        if (ended[i]) continue;
        SLUICE_TRY(ended[i], ended_before(database, completions[i].lease));
      }
      return {};
    });
  }
  if (!done) {
    note(done.error().code == ErrorCode::unreachable || done.error().code == ErrorCode::timeout);
    return std::unexpected(std::move(done).error());
  }
  note(false);
  if (followed) forget_mark();  // what waited may come before it
  if (batched) {
    // Everything is written: a batch that is not folded now is folded with the next settle().
    const auto folded = fold_batches(pool_, kFoldAtOnce, now);
    static_cast<void>(folded);
    forget_mark();
  }
  if (change != 0) pool_.touched(change);
  // After the commit, so that plain jobs pay nothing: what cannot be counted now stays uncounted.
  if (!runs.empty()) static_cast<void>(count_runs(pool_, runs, completions, now));
  // They are ended; a look that fails is made up for by release_waiting().
  static_cast<void>(release(freed, now));
  return ended;
}

}  // namespace sluice::jobs
