#include "load/undo_ledger.h"

#include "history/run_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

namespace sluice::load {
namespace {

constexpr int kPage = 1000;

}  // namespace

Result<void> each_change(sql::Connection& connection, JobId run, const OnEntry& visit, std::stop_token stop) {
  std::int64_t after = 0;
  for (;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    SLUICE_TRY(const auto page, history::changes(connection, run, after, kPage));
    for (const auto& entry : page) SLUICE_CHECK(visit(entry));
    if (std::ssize(page) < kPage) return {};
    after = page.back().seq;
  }
}

std::int64_t job_of(JobId key) { return key.value() & ((std::int64_t{1} << history::kStoreShift) - 1); }

Result<LaterRuns> later_runs(sql::Connection& connection, const history::Run& run) {
  SLUICE_TRY(const auto runs, history::runs_after(connection, run.receipt.loader, run.job));
  LaterRuns later;
  // A run and its undo are as if neither had been; the undo of an undo brings the run's changes back, and
  // stands for them itself.
  for (const auto& one : runs) {
    const JobId undone(one.receipt.undoes);
    if (one.receipt.undoes != 0 && undone == run.job) {
      later.undone_by = one.job;
      continue;
    }
    if (one.receipt.undoes != 0 && later.undone_by == undone) {
      later.undone_by.reset();
      continue;
    }
    const auto found = std::ranges::find(later.keys, undone);
    if (one.receipt.undoes != 0 && found != later.keys.end()) {
      later.keys.erase(found);
    } else {
      later.keys.push_back(one.job);
    }
  }
  return later;
}

Result<std::vector<std::string>> touched_since(sql::Connection& connection, JobId run, const LaterRuns& later,
                                               std::size_t most, std::stop_token stop) {
  std::vector<std::string> touched;
  if (later.keys.empty()) return touched;
  std::unordered_set<std::string> ours;
  SLUICE_CHECK(each_change(
      connection, run,
      [&](const history::LoggedEntry& entry) -> Result<void> {
        ours.insert(entry.key);
        return {};
      },
      stop));
  // A load into an empty table is one entry without a key, and stands for every row.
  const bool all = ours.contains("");
  for (const JobId one : later.keys) {
    SLUICE_CHECK(each_change(
        connection, one,
        [&](const history::LoggedEntry& entry) -> Result<void> {
          if (touched.size() >= most || !(all || entry.op == "load" || ours.contains(entry.key))) return {};
          touched.push_back(fmt::format("job {}: {} {}", job_of(one), entry.op,
                                        entry.op == "load" ? "of all rows" : entry.key));
          return {};
        },
        stop));
    if (touched.size() >= most) break;
  }
  return touched;
}

}  // namespace sluice::load
