#include "jobs/sqlite/take.h"

#include "jobs/sqlite/limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr std::string_view kFirstOnes =
    "indexed by ready_claim where blocked = 0 and (priority, run_at, job) <= (?3, ?4, ?5)";
constexpr std::string_view kLease =
    "insert into lease (job, token, node, attempt, started_at, queue, exclusive_key, limit_key, "
    "recurring_id) "
    "select job, token, ?1, attempt + 1, ?2, queue, exclusive_key, limit_key, recurring_id from ready";

Result<void> take_first(Database& database, const Job& last, std::string_view node, Timestamp now) {
  static const std::string lease = fmt::format("{} {}", kLease, kFirstOnes),
                           leave = fmt::format("delete from ready {}", kFirstOnes);
  SLUICE_CHECK(database.run(lease, node, now, last.priority, last.run_at, last.id));
  SLUICE_CHECK(database.run(leave, node, now, last.priority, last.run_at, last.id));
  return {};
}

Result<void> take_one(Database& database, JobId id, std::string_view node, Timestamp now) {
  static const std::string lease = fmt::format("{} where job = ?3", kLease);
  SLUICE_CHECK(database.run(lease, node, now, id));
  return leave_ready(database, id);
}

// The job as its new attempt sees it.
void begin(Job& job, std::string_view node, Timestamp now) {
  job.state = JobState::processing;
  ++job.attempt;
  job.node = node;
  job.started_at = now;
  job.finished_at.reset();
  job.duration_ms.reset();
  job.progress.reset();
}

// For any node with a handler, at any time, whatever else runs.
bool is_plain(const Row& row, const ClaimRequest& request) {
  using namespace claim_columns;
  return row.view(kPinned).empty() && row.view(kKey).empty() && row.view(kLimit).empty() &&
         row.integer(kLatency) == 0 &&
         std::ranges::find(request.kinds, row.view(kKind)) != request.kinds.end();
}

}  // namespace

std::string claim_query(std::string_view index, std::string_view where) {
  return fmt::format(
      "select {}, r.token from ready r indexed by {} cross join job j on j.id = r.job where r.blocked = 0 {} "
      "order by r.priority, r.run_at, r.job",
      job_columns(), index, where);
}

Result<Claimed> read_claimed(const Row& row) {
  Claimed claimed;
  SLUICE_TRY(claimed.job, read_job(row));
  claimed.lease = {claimed.job.id, row.integer(row.size() - 1)};
  return claimed;
}

Result<std::optional<std::vector<Claimed>>> peek(Database& database, const ClaimRequest& request) {
  static const std::string query = claim_query("ready_claim", "");
  std::vector<Claimed> seen;
  const auto most = static_cast<std::size_t>(request.limit);
  seen.reserve(most);
  bool plain = true;
  SLUICE_CHECK(database.each_until(query, [&](const Row& row) -> Result<bool> {
    plain = is_plain(row, request);
    if (!plain) return false;
    SLUICE_TRY(auto one, read_claimed(row));
    seen.push_back(std::move(one));
    return seen.size() < most;
  }));
  if (!plain || seen.size() < most) return std::nullopt;
  return seen;
}

Result<bool> is_next(Database& database, std::span<const Claimed> seen) {
  std::size_t same = 0;
  SLUICE_CHECK(database.each_until(
      "select job, token, run_at from ready indexed by ready_claim where blocked = 0 order by priority, "
      "run_at, "
      "job limit ?",
      [&](const Row& row) -> Result<bool> {
        const Claimed& one = seen[same];
        const bool equal = row.integer(0) == one.job.id.value() && row.integer(1) == one.lease.token &&
                           row.time(2) == one.job.run_at;
        if (equal) ++same;
        return equal;
      },
      seen.size()));
  return same == seen.size();
}

Result<void> take(Database& database, Account& account, std::vector<Claimed>& chosen, bool first_ones,
                  std::string_view node) {
  if (chosen.empty()) return {};
  const Timestamp now = account.now();
  if (first_ones) SLUICE_CHECK(take_first(database, chosen.back().job, node, now));
  for (Claimed& one : chosen) {
    Job& job = one.job;
    if (!first_ones) SLUICE_CHECK(take_one(database, job.id, node, now));
    begin(job, node, now);
    SLUICE_CHECK(account.count({.job = job.id, .from = JobState::enqueued, .to = JobState::processing}));
    if (!job.limit_key.empty()) SLUICE_CHECK(note_start(database, job.limit_key, job.id, now));
  }
  return {};
}

}  // namespace sluice::jobs
