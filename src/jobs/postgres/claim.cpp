// Claiming on PostgreSQL: one statement takes a batch.
#include "jobs/postgres/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <tuple>

namespace sluice::jobs {
namespace {

constexpr int kPromoteAtOnce = 1000;
constexpr int kMostRounds = 20;
// A job of higher priority that another node enqueued waits no longer than this for being seen.
constexpr std::chrono::milliseconds kMarkHolds{250};
constexpr std::chrono::minutes kMayStillCome{2};

// Makes due scheduled jobs ready, and says what the claim has to look out for.
constexpr std::string_view kPromote =
    "with d as materialized (select id from job where state = 0 and run_at <= ?1 order by run_at limit ?2 "
    "for update skip locked), "
    "u as (update job j set state = 1, history = j.history || history_line(1, ?1, j.attempt, '', '') from d "
    "where j.id = d.id returning j.id, j.priority, j.run_at, j.kind, j.exclusive_key, j.pinned_node, "
    "j.lease, j.attempt, j.queue, j.limit_key, j.latency_ms, j.started_at), "
    "r as (insert into ready (job, priority, run_at, kind, exclusive_key, pinned_node, token, attempt, "
    "queue, "
    "limit_key, latest) select id, priority, run_at, kind, exclusive_key, pinned_node, lease + 1, attempt, "
    "queue, limit_key, case when latency_ms > 0 and started_at is null then run_at + latency_ms * 1000 end "
    "from u), "
    "t as (insert into tally (state, n) select 0, -count(*) from u having count(*) > 0 union all select 1, "
    "count(*) from u having count(*) > 0) "
    "select case when count(*) > 0 then {} end, exists (select 1 from queue where paused_at is not null or "
    "max_running is not null), exists (select 1 from limit_rule where wake_at <= ?1) from u";

// c: what is next, locked; others pass it over. d: the plain ones among it, which nothing but a pause can
// hold back. s: what was seen, even where nothing was taken. A node that is taken for dead gets nothing. It
// is the statement that every job pays for: keys, limits and latencies are kTakeKeyed's.
constexpr std::string_view kTakePlain =
    "with c as materialized (select r.ctid as at, r.exclusive_key is null and r.limit_key is null and "
    "r.latest is null as plain from ready r where {} order by r.priority, r.run_at, r.job limit ?7 for "
    "update "
    "of r skip locked), "
    "d as (delete from ready r using c where r.ctid = c.at and c.plain returning r.job, r.token, r.attempt, "
    "r.queue), "
    "l as (insert into lease (job, token, node, attempt, started_at, claim, queue) select job, token, ?5, "
    "attempt + 1, ?8::bigint, ?9::text, queue from d), "
    "t as (insert into tally (state, n) select 1, -count(*) from d having count(*) > 0 union all select 2, "
    "count(*) from d having count(*) > 0) "
    "select j.id, j.kind, j.subject, j.name, j.queue, 2, j.origin, j.priority, j.created_at, j.run_at, "
    "?8::bigint, null, null, d.attempt + 1, j.max_attempts, j.crashes, ?5, j.pinned_node, null, "
    "j.recurring_id, j.fire_at, null, null, null, null, null, null, j.blocking_job, j.started_by, j.reason, "
    "j.error_code, j.error_message, j.retry, null, j.timeout_ms, j.latency_ms, j.args, j.result, j.parent, "
    "j.follows, j.delay_ms, j.unique_key, j.batch, d.token, s.looked, '', '', case when d.job is not null "
    "then {} end from (select count(*) as looked from c) s left join d on true left join job j on j.id = "
    "d.job";

// As kTakePlain, for jobs with keys too. k: of each key the first. l: the leases, keys in one order, so that
// two nodes do not wait for each other in a circle; a key that is taken leaves its job where it is.
constexpr std::string_view kTakeKeyed =
    "with c as materialized (select r.job, r.priority, r.run_at, r.exclusive_key, r.token, r.attempt, "
    "r.queue, "
    "r.limit_key is not null or r.latest is not null as special from ready r where {} order by r.priority, "
    "r.run_at, r.job limit ?7 for update of r skip locked), "
    "k as (select *, row_number() over (partition by exclusive_key order by priority, run_at, job) as nth "
    "from c where not special), "
    "l as (insert into lease (job, token, node, attempt, started_at, exclusive_key, claim, queue) select "
    "job, "
    "token, ?5, attempt + 1, ?8::bigint, exclusive_key, ?9::text, queue from k where exclusive_key is null "
    "or "
    "nth = 1 order by exclusive_key nulls first, job on conflict do nothing returning *), "
    "d as (delete from ready r using l where r.job = l.job), "
    "t as (insert into tally (state, n) select 1, -count(*) from l having count(*) > 0 union all select 2, "
    "count(*) from l having count(*) > 0), "
    "s as (select count(*) as looked, string_agg(job::text, ',') filter (where special) as special, "
    "string_agg(job::text, ',') filter (where not special and exclusive_key is not null and not exists "
    "(select 1 from l where l.job = c.job)) as collided from c) "
    "select {}, l.token, s.looked, s.special, s.collided, case when l.job is not null then {} end from s "
    "left "
    "join l on true left join job j on j.id = l.job order by j.priority, j.run_at, j.id";

// Which of those that wait.
constexpr std::string_view kAmong =
    "{} {} r.blocked = 0 and r.kind = any(?4::text[]) and (r.pinned_node = ?5 or (r.pinned_node is null and "
    "?6 = 0)) and exists (select 1 from node where id = ?5 and expires_at > now())";
constexpr std::string_view kFromMark =
    "(r.priority, r.run_at, r.job) >= (?1::int, ?2::bigint, ?3::bigint) and";
// The parameters are there all the same.
constexpr std::string_view kFromStart =
    "(?1::int is null or ?1::int is not null or ?2::bigint is null or ?3::bigint is null) and";
// What was true before the claim began must still be: a queue that is paused gives nothing from then on.
constexpr std::string_view kAllQueues =
    "not exists (select 1 from queue where paused_at is not null or max_running is not null) and (?10::text "
    "is null or ?10::text is not null) and";
constexpr std::string_view kOneQueue =
    "r.queue = ?10::text and not exists (select 1 from queue where name = ?10::text and (paused_at is not "
    "null or max_running is not null)) and";
constexpr std::string_view kLimitedQueue = "r.queue = ?10::text and";  // its row is locked

bool same_claims(const ClaimRequest& a, const ClaimRequest& b) {
  return a.node == b.node && a.kinds == b.kinds && a.only_pinned == b.only_pinned;
}

}  // namespace

Result<PostgresJobStore::Outlook> PostgresJobStore::promote_due(Timestamp now) {
  std::optional<std::int64_t> change;
  Outlook outlook;
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    return database.each(
        fmt::format(kPromote, pool_.touching()),
        [&](const Row& row) -> Result<void> {
          change = row.maybe_integer(0);
          outlook = {.held_back = row.integer(1) != 0, .key_is_due = row.integer(2) != 0};
          return {};
        },
        now, kPromoteAtOnce);
  }));
  if (!change) return outlook;
  forget_mark();
  pool_.touched(*change);
  return outlook;
}

std::string PostgresJobStore::new_claim_id() {
  static constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
  std::lock_guard lock(mutex_);
  if (claims_ == 0) claims_ = std::random_device{}() * kSpread;
  return fmt::format("{:016x}", ++claims_);
}

Result<PostgresJobStore::Batch> PostgresJobStore::take(const ClaimRequest& request, const From& from,
                                                       const Mark* mark_given, int limit, Timestamp now) {
  Batch batch;
  if (from.limited) {
    limit = std::min(limit, request.most_limited);
  } else {
    auto plain = take(request, from, mark_given, limit, false, now);
    // A lease of a job that waits cannot be; should there be one, the other statement passes it over.
    if (!plain && plain.error().code != ErrorCode::conflict) return plain;
    if (plain && plain->looked_at == std::ssize(plain->claimed)) return plain;
    if (plain) batch = *std::move(plain);
    limit = std::min(limit - static_cast<int>(batch.claimed.size()), request.most_limited);
  }
  if (limit <= 0) return batch;
  auto rest = take(request, from, mark_given, limit, true, now);
  if (!rest) {
    if (batch.claimed.empty()) return rest;
    return batch;  // what was taken is not lost; the error comes with the next call
  }
  rest->looked_at += std::ssize(batch.claimed);
  rest->claimed.insert(rest->claimed.begin(), std::make_move_iterator(batch.claimed.begin()),
                       std::make_move_iterator(batch.claimed.end()));
  return rest;
}

Result<PostgresJobStore::Batch> PostgresJobStore::take(const ClaimRequest& request, const From& from,
                                                       const Mark* mark_given, int limit, bool keyed,
                                                       Timestamp now) {
  const std::string id = new_claim_id();
  const Mark mark = mark_given == nullptr ? Mark{} : *mark_given;
  const std::string_view queue = from.limited ? kLimitedQueue : from.queue ? kOneQueue : kAllQueues;
  const std::string among = fmt::format(kAmong, mark_given == nullptr ? kFromStart : kFromMark, queue);
  const std::string_view touching = from.limited ? std::string_view("0") : pool_.touching();
  const std::string sql = keyed ? fmt::format(kTakeKeyed, among, live_job_columns(), touching)
                                : fmt::format(kTakePlain, among, touching);
  Batch batch;
  std::int64_t change = 0;
  const auto claim = [&](Database& database) -> Result<void> {
    batch = {};
    int most = limit;
    if (from.limited) {
      SLUICE_TRY(const auto room, room_of_queue(database, *from.queue));
      most = std::min(limit, room.value_or(limit));
      if (most <= 0) return {};
    }
    return database.each(
        sql,
        [&](const Row& row) -> Result<void> {
          batch.looked_at = row.integer(row.size() - 4);
          batch.special = row.text(row.size() - 3);
          batch.collided = row.text(row.size() - 2);
          if (row.integer(0) == 0) return {};
          Claimed one;
          SLUICE_TRY(one.job, read_job(row));
          one.lease = {one.job.id, row.integer(row.size() - 5)};
          change = row.integer(row.size() - 1);
          batch.claimed.push_back(std::move(one));
          return {};
        },
        mark.priority, mark.run_at, mark.job, array_text(request.kinds), request.node,
        request.only_pinned ? 1 : 0, most, now, id, from.queue);
  };
  const auto done = from.limited ? pool_.write(claim) : pool_.once(claim);
  if (!done) {
    if (done.error().code != ErrorCode::conflict) {
      std::lock_guard lock(mutex_);
      uncertain_claims_.emplace(id, std::chrono::steady_clock::now());
    }
    return std::unexpected(done.error());
  }
  if (!batch.claimed.empty() && !from.limited) pool_.touched(change);
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
  SLUICE_TRY(const Outlook outlook, promote_due(now));
  if (outlook.key_is_due) SLUICE_CHECK(release_waiting(now));
  // Last of what may fail: whoever loses what it has found, loses jobs that this node holds.
  SLUICE_TRY(auto claimed, recover(request));
  const int slots = request.limit - static_cast<int>(claimed.size());
  const ClaimRequest rest = without(request, claimed);
  auto more = request.queues.empty() && !outlook.held_back ? claim_from(rest, {}, slots, now)
                                                           : claim_in_turn(rest, slots, now);
  if (!more) {
    // What was taken is not lost: the caller gets it, and the error with the next call.
    if (claimed.empty()) return more;
    return claimed;
  }
  claimed.insert(claimed.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  return claimed;
}

// The request as it is after those were claimed for it: with keys it may have so many fewer.
ClaimRequest PostgresJobStore::without(const ClaimRequest& request, const std::vector<Claimed>& claimed) {
  ClaimRequest rest = request;
  const auto keyed = std::ranges::count_if(claimed, [](const Claimed& one) {
    return !one.job.exclusive_key.empty() || !one.job.limit_key.empty();
  });
  rest.most_limited = std::max(0, request.most_limited - static_cast<int>(keyed));
  return rest;
}

Result<std::vector<Claimed>> PostgresJobStore::claim_from(const ClaimRequest& request, const From& from,
                                                          int slots, Timestamp now) {
  std::vector<Claimed> claimed;
  auto mark = from.queue ? std::nullopt : mark_for(request);
  bool full = false;
  for (int round = 0; round < kMostRounds; ++round) {
    const int limit = slots - static_cast<int>(claimed.size());
    if (limit <= 0) break;
    ClaimRequest rest = without(request, claimed);
    if (from.limited)
      rest.most_limited = std::max(0, request.most_limited - static_cast<int>(claimed.size()));
    auto batch = take(rest, from, mark ? &*mark : nullptr, limit, now);
    if (!batch) {
      if (claimed.empty()) return std::unexpected(std::move(batch).error());
      break;
    }
    auto taken = static_cast<int>(batch->claimed.size());
    claimed.insert(claimed.end(), batch->claimed.begin(), batch->claimed.end());
    full = taken == limit;
    if (full) break;
    if (!batch->special.empty() || !batch->collided.empty()) {
      auto special = settle(request, from, *batch, now);
      if (!special) {
        if (claimed.empty()) return special;
        break;
      }
      taken += static_cast<int>(special->size());
      claimed.insert(claimed.end(), std::make_move_iterator(special->begin()),
                     std::make_move_iterator(special->end()));
      if (taken == limit) break;  // the mark is not moved past jobs that were put aside
    }
    if (mark) {
      mark.reset();  // something may lie before it
      continue;
    }
    // Jobs with keys stood in the way of others behind them, and are out of it now, unless it has enough of
    // them.
    const bool as_before = taken == 0 && batch->special.empty() && batch->collided.empty();
    if (batch->looked_at < limit || as_before) break;
  }
  // Those with keys came in statements of their own.
  const auto turn = [](const Claimed& one) {
    return std::tuple(one.job.priority, one.job.run_at, one.job.id.value());
  };
  if (!std::ranges::is_sorted(claimed, {}, turn)) std::ranges::sort(claimed, {}, turn);
  if (!from.queue) remember(request, claimed, full);
  return claimed;
}

}  // namespace sluice::jobs
