// Claiming on SQLite: what is due, what may run, and who takes it, in one transaction.
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"
#include "jobs/store/ending.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace sluice::jobs {
namespace {

constexpr int kPromoteAtOnce = 1000;

Result<void> promote_due(Database& database, Account& account, Timestamp now) {
  struct Due {
    JobId id;
    int attempt;
  };
  std::vector<Due> due;
  SLUICE_CHECK(database.each(
      "select id, attempt from job indexed by job_due where state = 0 and run_at <= ? order by run_at limit "
      "?",
      [&](const Row& row) -> Result<void> {
        due.push_back({JobId(row.integer(0)), static_cast<int>(row.integer(1))});
        return {};
      },
      now, kPromoteAtOnce));
  for (const Due& one : due) {
    SLUICE_CHECK(database.run("update job set state = ? where id = ?", JobState::enqueued, one.id));
    SLUICE_CHECK(account.step(
        {.job = one.id, .from = JobState::scheduled, .to = JobState::enqueued, .attempt = one.attempt}));
  }
  return {};
}

// Goes through the jobs at hand, best first, and sorts them: to take, to put aside, to drop.
class Choice {
 public:
  Choice(Database& database, const ClaimRequest& request, Timestamp now)
      : database_(database), request_(request), now_(now) {}

  // Up to `most` more; of one queue, or of all where none is given.
  Result<int> choose(std::optional<std::string_view> queue, int most) {
    int left = most;
    const auto consider = [&](const Row& row) -> Result<bool> {
      SLUICE_TRY(const bool taken, look_at(row));
      if (taken) --left;
      return left > 0;
    };
    if (most <= 0) return 0;
    static constexpr std::string_view kColumns =
        "select id, kind, exclusive_key, pinned_node, limit_key, latency_ms, run_at, started_at is null from "
        "job";
    if (!queue) {
      SLUICE_CHECK(database_.each_until(
          fmt::format("{} indexed by job_ready where state = 1 and blocked = 0 order by priority, run_at, id",
                      kColumns),
          consider));
    } else if (*queue == "default") {
      SLUICE_CHECK(database_.each_until(
          fmt::format("{} indexed by job_ready where state = 1 and blocked = 0 and queue "
                      "= 'default' order by priority, run_at, id",
                      kColumns),
          consider));
    } else {
      SLUICE_CHECK(database_.each_until(
          fmt::format("{} indexed by job_ready_queue where state = 1 and blocked = 0 and queue <> 'default' "
                      "and queue = ? order by priority, run_at, id",
                      kColumns),
          consider, *queue));
    }
    return most - left;
  }

  // After the last choose(): nothing is changed while the index is read.
  Result<void> settle(Account& account) {
    for (const auto& [job, by] : aside_) SLUICE_CHECK(put_aside(database_, job, by));
    for (const auto& [job, why] : late_) {
      SLUICE_CHECK(database_.run("update job set state = ?, finished_at = ?, reason = ? where id = ?",
                                 JobState::deleted, now_, why, job));
      SLUICE_CHECK(
          account.step({.job = job, .from = JobState::enqueued, .to = JobState::deleted, .reason = why}));
    }
    return {};
  }
  const std::vector<JobId>& chosen() const { return chosen_; }

 private:
  // Whether it is taken.
  Result<bool> look_at(const Row& row) {
    const std::string kind = row.text(1), pin = row.text(3);
    const JobId id(row.integer(0));
    if (seen_.contains(id)) return false;
    if (std::ranges::find(request_.kinds, kind) == request_.kinds.end()) return false;
    if (pin.empty() ? request_.only_pinned : pin != request_.node) return false;
    if (const std::chrono::milliseconds most(row.integer(5));
        most.count() > 0 && row.integer(7) != 0 && row.time(6) + most < now_) {
      seen_.insert(id);
      late_.emplace_back(id, late_reason(most));
      return false;
    }
    const std::string key = row.text(2), limit_key = row.text(4);
    if (!key.empty()) {
      SLUICE_TRY(const bool free, is_free(key));
      if (!free) return leave(id, BlockedBy::exclusive_key);
    }
    if (!limit_key.empty()) {
      SLUICE_TRY(int* const room, room_for(limit_key));
      if (*room <= 0) return leave(id, BlockedBy::limit_key);
      --*room;
    }
    if (!key.empty()) free_keys_[key] = false;
    seen_.insert(id);
    chosen_.push_back(id);
    return true;
  }

  bool leave(JobId id, BlockedBy by) {
    seen_.insert(id);
    aside_.emplace_back(id, by);
    return false;
  }

  Result<bool> is_free(const std::string& key) {
    const auto [found, added] = free_keys_.try_emplace(key, true);
    if (!added) return found->second;
    SLUICE_CHECK(database_.each(
        "select 1 from job indexed by job_live_key where exclusive_key = ?1 and exclusive_key is not null "
        "and state in (0, 1, 2) and state = 2 limit 1",
        [&](const Row&) -> Result<void> {
          found->second = false;
          return {};
        },
        key));
    return found->second;
  }

  Result<int*> room_for(const std::string& key) {
    const auto [found, added] = room_.try_emplace(key, 0);
    if (added) {
      SLUICE_TRY(found->second, room_of_limit(database_, key, now_));
    }
    return &found->second;
  }

  Database& database_;
  const ClaimRequest& request_;
  const Timestamp now_;
  std::vector<JobId> chosen_;
  std::unordered_set<JobId> seen_;
  std::vector<std::pair<JobId, BlockedBy>> aside_;
  std::vector<std::pair<JobId, std::string>> late_;
  std::unordered_map<std::string, bool> free_keys_;
  std::unordered_map<std::string, int> room_;
};

// A queue with jobs waiting that may start, and how many of them.
struct Open {
  QueueShare share;
  int room = 0;
};

Result<std::optional<Open>> open_queue(Database& database, const QueueShare& share) {
  std::optional<Open> open;
  SLUICE_CHECK(database.each(
      "select case when ?1 = 'default' then exists (select 1 from job indexed by job_ready where state = 1 "
      "and "
      "blocked = 0 and queue = ?1) else exists (select 1 from job indexed by job_ready_queue where state = 1 "
      "and blocked = 0 and queue <> 'default' and queue = ?1) end, (select paused_at from queue where name = "
      "?1) is not null, (select max_running from queue where name = ?1)",
      [&](const Row& row) -> Result<void> {
        if (row.integer(0) == 0 || row.integer(1) != 0) return {};
        open = Open{share, std::numeric_limits<int>::max()};
        if (const auto most = row.maybe_integer(2)) open->room = static_cast<int>(*most);
        return {};
      },
      share.name));
  if (!open || open->room == std::numeric_limits<int>::max()) return open;
  SLUICE_CHECK(database.each(
      "select count(*) from job indexed by job_node where state = 2 and queue = ?",
      [&](const Row& row) -> Result<void> {
        open->room -= static_cast<int>(row.integer(0));
        return {};
      },
      share.name));
  if (open->room <= 0) open.reset();
  return open;
}

Result<std::vector<Open>> open_queues(Database& database, std::vector<QueueShare> shares) {
  if (shares.empty()) {
    shares.push_back({"default", 1});
    SLUICE_CHECK(database.each(
        "with recursive w(v) as (select min(queue) from job indexed by job_ready_queue where state = 1 and "
        "blocked = 0 and queue <> 'default' union all select (select min(queue) from job indexed by "
        "job_ready_queue where state = 1 and blocked = 0 and queue <> 'default' and queue > w.v) from w "
        "where "
        "w.v is not null) select v from w where v is not null",
        [&](const Row& row) -> Result<void> {
          shares.push_back({row.text(0), 1});
          return {};
        }));
  }
  std::vector<Open> open;
  for (const QueueShare& share : shares) {
    SLUICE_TRY(auto one, open_queue(database, share));
    if (one) open.push_back(*std::move(one));
  }
  return open;
}

Result<void> choose_in_turn(Choice& choice, QueueTurns& turns, std::vector<Open> open, int slots) {
  while (slots > 0 && !open.empty()) {
    std::vector<QueueShare> waiting;
    for (const Open& one : open) waiting.push_back(one.share);
    for (const auto& [queue, jobs] : turns.next(waiting, slots)) {
      const auto at = std::ranges::find_if(open, [&](const Open& one) { return one.share.name == queue; });
      const int most = std::min(jobs, at->room);
      SLUICE_TRY(const int taken, choice.choose(queue, most));
      slots -= taken;
      at->room -= taken;
      if (taken < jobs) open.erase(at);  // nothing left there: its slots go to the others
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Claimed>> SqliteJobStore::claim(const ClaimRequest& request, Timestamp now) {
  std::lock_guard in_turn(turns_mutex_);
  return file_.write([&](Database& database) -> Result<std::vector<Claimed>> {
    Account account(database, now);
    SLUICE_CHECK(promote_due(database, account, now));
    SLUICE_CHECK(release_due(database, now));
    Choice choice(database, request, now);
    SLUICE_TRY(const bool held_back, queue_is_held_back(database, {}));
    if (request.queues.empty() && !held_back) {
      SLUICE_CHECK(choice.choose(std::nullopt, request.limit));
    } else {
      SLUICE_TRY(auto open, open_queues(database, request.queues));
      SLUICE_CHECK(choose_in_turn(choice, turns_[request.node], std::move(open), request.limit));
    }
    SLUICE_CHECK(choice.settle(account));
    std::vector<Claimed> claimed;
    claimed.reserve(choice.chosen().size());
    for (const JobId id : choice.chosen()) {
      SLUICE_TRY(auto one, take(database, account, id, request.node, now));
      if (!one.job.limit_key.empty()) SLUICE_CHECK(note_start(database, one.job.limit_key, id, now));
      claimed.push_back(std::move(one));
    }
    SLUICE_CHECK(account.close());
    return claimed;
  });
}

}  // namespace sluice::jobs
