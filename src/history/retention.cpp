#include "history/retention.h"

#include "history/run_key.h"
#include "history/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace sluice::history {
namespace {

struct Old {
  std::int64_t job = 0;
  std::int64_t seq = 0;
  std::int64_t finished_at = 0;
  std::int64_t changes = 0;
};

Result<std::int64_t> number(sql::Connection& connection, const std::string& query, std::string_view loader) {
  SLUICE_TRY(auto select, connection.prepare(query));
  select->bind_text(1, loader);
  SLUICE_TRY(const bool row, select->step());
  return row ? select->int64(0) : 0;
}

// The number of the nth newest record from 1, 0 when there are fewer. `with` narrows the records.
Result<std::int64_t> nth_newest(sql::Connection& connection, std::string_view loader, std::int64_t n,
                                std::string_view with = "") {
  return number(
      connection,
      fmt::format("select seq from _sluice_run where loader = ? {} order by seq desc limit 1 offset {}", with,
                  n - 1),
      loader);
}

// The oldest records before number `before`.
Result<std::vector<Old>> oldest(sql::Connection& connection, std::string_view loader, std::int64_t before,
                                std::int64_t limit, std::string_view with = "") {
  std::vector<Old> found;
  SLUICE_TRY(auto select, connection.prepare(fmt::format(
                              "select job, seq, finished_at, changes_kept from _sluice_run where loader = ? "
                              "and seq < ? {} order by seq limit {}",
                              with, limit)));
  select->bind_text(1, loader);
  select->bind_int64(2, before);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return found;
    found.push_back({select->int64(0), select->int64(1), select->int64(2), select->int64(3)});
  }
}

// Removes the first `limit` changes of a run.
Result<std::int64_t> remove_changes(sql::Connection& connection, const Old& run, std::int64_t limit) {
  SLUICE_TRY(auto remove, connection.prepare(
                              "delete from _sluice_change where job = ?1 and seq < coalesce((select seq from "
                              "_sluice_change where job = ?1 order by seq limit 1 offset ?2), 1 << 62)"));
  remove->bind_int64(1, run.job);
  remove->bind_int64(2, limit);
  SLUICE_CHECK(remove->run());
  const std::int64_t removed = connection.changes();
  SLUICE_TRY(auto note, connection.prepare("update _sluice_run set changes_kept = ?2 where job = ?1"));
  note->bind_int64(1, run.job);
  note->bind_int64(2, removed < limit ? 0 : std::max<std::int64_t>(0, run.changes - removed));
  SLUICE_CHECK(note->run());
  return removed;
}

// `left`: changes that may still be removed.
Result<void> trim_changes(sql::Connection& connection, std::string_view loader, std::int64_t& left,
                          Timestamp now, const Retention& retention) {
  constexpr std::string_view kWith = "and changes_kept > 0";
  SLUICE_TRY(const std::int64_t kept, nth_newest(connection, loader, retention.runs_with_changes, kWith));
  SLUICE_TRY(const auto runs, oldest(connection, loader, kept, retention.batch_runs, kWith));
  if (runs.empty()) return {};
  SLUICE_TRY(
      std::int64_t total,
      number(connection, "select sum(changes_kept) from _sluice_run where loader = ? and changes_kept > 0",
             loader));
  for (const Old& run : runs) {
    const bool past = run.finished_at < micros(now - retention.changes);
    if (left <= 0) return {};
    if (!past && total <= retention.most_changes) continue;
    SLUICE_TRY(const std::int64_t removed, remove_changes(connection, run, left));
    left -= removed;
    total -= removed;
  }
  return {};
}

// The newest record of each job store that has loaded with this loader.
Result<std::set<std::int64_t>> newest_of_stores(sql::Connection& connection, std::string_view loader) {
  std::set<std::int64_t> jobs;
  SLUICE_TRY(auto select,
             connection.prepare(fmt::format(
                 "select max(job) from _sluice_run where loader = ? group by job >> {}", kStoreShift)));
  select->bind_text(1, loader);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return jobs;
    jobs.insert(select->int64(0));
  }
}

}  // namespace

Result<void> trim_runs(sql::Connection& connection, std::string_view loader, std::int64_t written,
                       Timestamp now, const Retention& retention) {
  std::int64_t left = std::max(retention.batch_changes, 2 * written);
  SLUICE_CHECK(trim_changes(connection, loader, left, now, retention));
  SLUICE_TRY(const std::int64_t kept, nth_newest(connection, loader, retention.newest_runs));
  SLUICE_TRY(const std::int64_t most, nth_newest(connection, loader, retention.most_runs));
  SLUICE_TRY(const auto runs, oldest(connection, loader, kept, retention.batch_runs));
  const auto past = [&](const Old& run) {
    return run.seq < most || run.finished_at < micros(now - retention.runs);
  };
  if (std::none_of(runs.begin(), runs.end(), past)) return {};
  SLUICE_TRY(const auto newest, newest_of_stores(connection, loader));
  for (const Old& run : runs) {
    const bool replayable = newest.contains(run.job) && run.finished_at >= micros(now - retention.store_runs);
    if (!past(run) || replayable) continue;
    // A run never goes before its changes.
    if (run.changes > 0) {
      if (left <= 0) return {};
      SLUICE_TRY(const std::int64_t removed, remove_changes(connection, run, left));
      left -= removed;
      if (left <= 0) return {};
    }
    SLUICE_TRY(auto remove, connection.prepare("delete from _sluice_run where job = ?"));
    remove->bind_int64(1, run.job);
    SLUICE_CHECK(remove->run());
  }
  return {};
}

Result<void> trim_rejects(sql::Connection& connection, std::string_view loader, Timestamp cut,
                          const Retention& retention) {
  SLUICE_TRY(const std::int64_t kept,
             number(connection, "select count(*) from _sluice_reject where loader = ?", loader));
  // Both lists are the oldest first, so that the longer one covers the shorter.
  SLUICE_TRY(auto past, connection.prepare("select count(*) from _sluice_reject where loader = ? and "
                                           "last_seen < ?"));
  past->bind_text(1, loader);
  past->bind_int64(2, micros(cut));
  SLUICE_TRY(const bool row, past->step());
  const std::int64_t old = row ? past->int64(0) : 0;
  past->reset();
  const auto remove = std::min(retention.batch_rejects, std::max(old, kept - retention.most_rejects));
  if (remove <= 0) return {};
  std::vector<std::int64_t> ids;
  SLUICE_TRY(auto select,
             connection.prepare("select id from _sluice_reject where loader = ? order by last_seen "
                                "limit ?"));
  select->bind_text(1, loader);
  select->bind_int64(2, remove);
  for (;;) {
    SLUICE_TRY(const bool more, select->step());
    if (!more) break;
    ids.push_back(select->int64(0));
  }
  SLUICE_TRY(auto spans, connection.prepare("delete from _sluice_reject_span where reject = ?"));
  SLUICE_TRY(auto entry, connection.prepare("delete from _sluice_reject where id = ?"));
  for (const std::int64_t id : ids) {
    spans->bind_int64(1, id);
    SLUICE_CHECK(spans->run());
    entry->bind_int64(1, id);
    SLUICE_CHECK(entry->run());
  }
  return {};
}

}  // namespace sluice::history
