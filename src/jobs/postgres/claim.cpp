// Claiming on PostgreSQL: one statement takes a batch.
#include "jobs/postgres/parts.h"

#include <fmt/format.h>

#include <random>

namespace sluice::jobs {
namespace {

constexpr int kPromoteAtOnce = 1000;
constexpr int kMostRounds = 20;
// A job of higher priority that another node enqueued waits no longer than this for being seen.
constexpr std::chrono::milliseconds kMarkHolds{250};
constexpr std::chrono::minutes kMayStillCome{2};

// Makes due scheduled jobs ready.
constexpr std::string_view kPromote =
    "with d as materialized (select id from job where state = 0 and run_at <= ?1 order by run_at limit ?2 "
    "for "
    "update skip locked), "
    "u as (update job j set state = 1, history = j.history || history_line(1, ?1, j.attempt, '', '') from d "
    "where j.id = d.id returning j.id, j.priority, j.run_at, j.kind, j.exclusive_key, j.pinned_node, "
    "j.lease, "
    "j.attempt), "
    "r as (insert into ready (job, priority, run_at, kind, exclusive_key, pinned_node, token, attempt) "
    "select "
    "id, priority, run_at, kind, exclusive_key, pinned_node, lease + 1, attempt from u), "
    "t as (insert into tally (state, n) select 0, -count(*) from u having count(*) > 0 union all select 1, "
    "count(*) from u having count(*) > 0) "
    "select count(*), case when count(*) > 0 then {} end from u";

// c: what is next, locked; others pass it over. k: of each key the first. l: the leases, keys in one order,
// so that two nodes do not wait for each other in a circle; a key that another node has taken this instant
// stays where it is. A node that is taken for dead gets nothing.
constexpr std::string_view kClaim =
    "with c as materialized (select r.job, r.priority, r.run_at, r.exclusive_key, r.token, r.attempt from "
    "ready r where {} r.kind = any(?4::text[]) and (r.pinned_node = ?5 or (r.pinned_node is null and ?6 = "
    "0)) "
    "and (r.exclusive_key is null or not exists (select 1 from lease h where h.exclusive_key = "
    "r.exclusive_key and h.exclusive_key is not null)) and exists (select 1 from node where id = ?5 and "
    "expires_at > now()) order by r.priority, r.run_at, r.job limit ?7 for update of r skip locked), "
    "k as (select *, row_number() over (partition by exclusive_key order by priority, run_at, job) as nth "
    "from c), "
    "l as (insert into lease (job, token, node, attempt, started_at, exclusive_key, claim) select job, "
    "token, "
    "?5, attempt + 1, ?8::bigint, exclusive_key, ?9::text from k where exclusive_key is null or nth = 1 "
    "order by "
    "exclusive_key nulls first, job on conflict do nothing returning *), "
    "d as (delete from ready r using l where r.job = l.job), "
    "t as (insert into tally (state, n) select 1, -count(*) from l having count(*) > 0 union all select 2, "
    "count(*) from l having count(*) > 0) "
    "select {}, l.token, (select count(*) from c), {} from l join job j on j.id = l.job order by j.priority, "
    "j.run_at, j.id";

constexpr std::string_view kFromMark =
    "(r.priority, r.run_at, r.job) >= (?1::int, ?2::bigint, ?3::bigint) and";
// The parameters are there all the same.
constexpr std::string_view kFromStart =
    "(?1::int is null or ?1::int is not null or ?2::bigint is null or ?3::bigint is null) and";

bool same_claims(const ClaimRequest& a, const ClaimRequest& b) {
  return a.node == b.node && a.kinds == b.kinds && a.only_pinned == b.only_pinned;
}

}  // namespace

Result<void> PostgresJobStore::promote_due(Timestamp now) {
  std::optional<std::int64_t> change;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    return database.each(
        fmt::format(kPromote, pool_.touching()),
        [&](const Row& row) -> Result<void> {
          change = row.maybe_integer(1);
          return {};
        },
        now, kPromoteAtOnce);
  }));
  if (!change) return {};
  forget_mark();
  pool_.touched(*change);
  return {};
}

std::string PostgresJobStore::new_claim_id() {
  static constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
  std::lock_guard lock(mutex_);
  if (claims_ == 0) claims_ = std::random_device{}() * kSpread;
  return fmt::format("{:016x}", ++claims_);
}

Result<PostgresJobStore::Batch> PostgresJobStore::take(const ClaimRequest& request, const Mark* from,
                                                       int limit, Timestamp now) {
  const std::string id = new_claim_id();
  const Mark mark = from == nullptr ? Mark{} : *from;
  Batch batch;
  std::int64_t change = 0;
  const auto done = pool_.once([&](Database& database) -> Result<void> {
    batch = {};
    return database.each(
        fmt::format(kClaim, from == nullptr ? kFromStart : kFromMark, live_job_columns(), pool_.touching()),
        [&](const Row& row) -> Result<void> {
          Claimed one;
          SLUICE_TRY(one.job, read_job(row));
          one.lease = {one.job.id, row.integer(row.size() - 3)};
          batch.looked_at = row.integer(row.size() - 2);
          change = row.integer(row.size() - 1);
          batch.claimed.push_back(std::move(one));
          return {};
        },
        mark.priority, mark.run_at, mark.job, array_text(request.kinds), request.node,
        request.only_pinned ? 1 : 0, limit, now, id);
  });
  if (!done) {
    std::lock_guard lock(mutex_);
    uncertain_claims_.emplace(id, std::chrono::steady_clock::now());
    return std::unexpected(done.error());
  }
  if (!batch.claimed.empty()) pool_.touched(change);
  return batch;
}

// A claim whose answer was lost with the connection may have been done: then its jobs are this node's, and
// nobody would ever run them.
Result<std::vector<Claimed>> PostgresJobStore::recover(const ClaimRequest& request) {
  std::vector<std::string> ids;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, since] : uncertain_claims_) ids.push_back(id);
  }
  std::vector<Claimed> claimed;
  std::set<std::string> found;
  if (ids.empty()) return claimed;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    claimed.clear();
    found.clear();
    return database.each(
        fmt::format("select {}, l.claim, l.token from lease l join job j on j.id = l.job where l.node = ? "
                    "and l.claim = "
                    "any(?::text[]) order by j.priority, j.run_at, j.id",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          Claimed one;
          SLUICE_TRY(one.job, read_job(row));
          one.lease = {one.job.id, row.integer(row.size() - 1)};
          claimed.push_back(std::move(one));
          found.insert(row.text(row.size() - 2));
          return {};
        },
        request.node, array_text(ids));
  }));
  // One that is not there may still be under way at the server, for a while.
  const auto old = std::chrono::steady_clock::now() - kMayStillCome;
  std::lock_guard lock(mutex_);
  std::erase_if(uncertain_claims_,
                [&](const auto& one) { return found.contains(one.first) || one.second < old; });
  return claimed;
}

std::optional<PostgresJobStore::Mark> PostgresJobStore::mark_for(const ClaimRequest& request) {
  std::lock_guard lock(mutex_);
  const bool holds =
      use_mark_ && mark_ && std::chrono::steady_clock::now() < mark_until_ && same_claims(mark_of_, request);
  if (!holds) mark_.reset();
  return mark_;
}

void PostgresJobStore::remember(const ClaimRequest& request, const std::vector<Claimed>& claimed, bool full) {
  std::lock_guard lock(mutex_);
  if (!full || claimed.empty()) {
    mark_.reset();
    return;
  }
  // Held from its first claim on, so that what lies before it is looked at again in time.
  if (!mark_) mark_until_ = std::chrono::steady_clock::now() + kMarkHolds;
  const Job& last = claimed.back().job;
  mark_ = Mark{last.priority, last.run_at.time_since_epoch().count(), last.id.value()};
  mark_of_ = request;
}

void PostgresJobStore::forget_mark() {
  std::lock_guard lock(mutex_);
  mark_.reset();
}

Result<std::vector<Claimed>> PostgresJobStore::claim(const ClaimRequest& request, Timestamp now) {
  SLUICE_CHECK(promote_due(now));
  // Last of what may fail: whoever loses what it has found, loses jobs that this node holds.
  SLUICE_TRY(auto claimed, recover(request));
  auto mark = mark_for(request);
  bool full = false;
  for (int round = 0; round < kMostRounds; ++round) {
    const int limit = request.limit - static_cast<int>(claimed.size());
    if (limit <= 0) break;
    auto batch = take(request, mark ? &*mark : nullptr, limit, now);
    if (!batch) {
      // What was taken is not lost: the caller gets it, and the error with the next call.
      if (claimed.empty()) return std::unexpected(std::move(batch).error());
      break;
    }
    const auto taken = static_cast<int>(batch->claimed.size());
    claimed.insert(claimed.end(), batch->claimed.begin(), batch->claimed.end());
    full = taken == limit;
    if (full) break;
    if (mark) {
      mark.reset();  // something may lie before it
      continue;
    }
    // Jobs of a key stood in the way of others behind them.
    if (taken == 0 || batch->looked_at < limit) break;
  }
  remember(request, claimed, full);
  return claimed;
}

}  // namespace sluice::jobs
