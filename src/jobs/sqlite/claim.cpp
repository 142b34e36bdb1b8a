// Claiming on SQLite: what is due, what may run, and who takes it, in one transaction.
#include "jobs/sqlite/limits.h"
#include "jobs/sqlite/parts.h"
#include "jobs/sqlite/take.h"
#include "jobs/store/ending.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

namespace sluice::jobs {
namespace {

constexpr int kPromoteAtOnce = 1000;
constexpr int kWorthPeeking = 32;

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
    SLUICE_CHECK(database.run("update job set state = ?, history = history || ? where id = ?",
                              JobState::enqueued, history_line(JobState::enqueued, now, one.attempt, {}, {}),
                              one.id));
    SLUICE_CHECK(account.count(
        {.job = one.id, .from = JobState::scheduled, .to = JobState::enqueued, .attempt = one.attempt}));
    SLUICE_CHECK(enter_ready(database, one.id));
  }
  return {};
}

// A claim ends when it has passed over so many jobs with keys that it wants no more of.
constexpr int kMostPassedOver = 1'000;

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
      in_one_run_ = in_one_run_ && taken;
      return left > 0 && passed_over_ < kMostPassedOver;
    };
    passed_over_ = 0;
    if (most <= 0) return 0;
    if (queue) in_one_run_ = false;
    static const std::string of_all = claim_query("ready_claim", ""),
                             of_default = claim_query("ready_claim", "and r.queue = 'default'"),
                             of_one = claim_query("ready_queue", "and r.queue <> 'default' and r.queue = ?");
    if (!queue) {
      SLUICE_CHECK(database_.each_until(of_all, consider));
    } else if (*queue == "default") {
      SLUICE_CHECK(database_.each_until(of_default, consider));
    } else {
      SLUICE_CHECK(database_.each_until(of_one, consider, *queue));
    }
    return most - left;
  }

  // After the last choose(): nothing is changed while the index is read.
  Result<void> settle(Account& account) {
    for (const auto& [job, by] : aside_) SLUICE_CHECK(put_aside(database_, job, by));
    for (const auto& [job, why] : late_) {
      SLUICE_CHECK(leave_ready(database_, job));
      SLUICE_CHECK(database_.run("update job set state = ?, finished_at = ?, reason = ? where id = ?",
                                 JobState::deleted, now_, why, job));
      SLUICE_CHECK(
          account.step({.job = job, .from = JobState::enqueued, .to = JobState::deleted, .reason = why}));
    }
    return take(database_, account, chosen_, in_one_run_, request_.node);
  }
  std::vector<Claimed> take_chosen() { return std::move(chosen_); }

 private:
  // Whether it is taken.
  Result<bool> look_at(const Row& row) {
    using namespace claim_columns;
    const JobId id(row.integer(0));
    if (!seen_.empty() && seen_.contains(id)) return false;
    if (std::ranges::find(request_.kinds, row.view(kKind)) == request_.kinds.end()) return false;
    const std::string_view pin = row.view(kPinned);
    if (pin.empty() ? request_.only_pinned : pin != request_.node) return false;
    if (const std::chrono::milliseconds most(row.integer(kLatency));
        most.count() > 0 && !row.maybe_time(kStartedAt) && row.time(kRunAt) + most < now_) {
      seen_.insert(id);
      late_.emplace_back(id, late_reason(most));
      return false;
    }
    const std::string key = row.text(kKey), limit_key = row.text(kLimit);
    const bool limited = !key.empty() || !limit_key.empty();
    if (limited && limited_ >= request_.most_limited) {
      ++passed_over_;
      return false;
    }
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
    if (limited) ++limited_;
    if (!in_one_run_) seen_.insert(id);
    SLUICE_TRY(auto claimed, read_claimed(row));
    chosen_.push_back(std::move(claimed));
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
        "select 1 from lease indexed by lease_key where exclusive_key = ?1 limit 1",
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
  std::vector<Claimed> chosen_;
  bool in_one_run_ = true;          // they are the first of the index, none left out
  int limited_ = 0;                 // taken, of those with keys
  int passed_over_ = 0;             // by this choose(), as there are enough of them
  std::unordered_set<JobId> seen_;  // by an earlier choose(), or not to be looked at again
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
      "select case when ?1 = 'default' then exists (select 1 from ready indexed by ready_claim where blocked "
      "= 0 and queue = ?1) else exists (select 1 from ready indexed by ready_queue where "
      "blocked = 0 and queue <> 'default' and queue = ?1) end, (select paused_at from queue where name = "
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
      "select count(*) from lease where queue = ?",
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
        "with recursive w(v) as (select min(queue) from ready indexed by ready_queue where queue <> "
        "'default' union all select (select min(queue) from ready indexed by ready_queue where queue <> "
        "'default' and queue > w.v) from w where w.v is not null) select v from w where v is not null",
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
    waiting.reserve(open.size());
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
  // Found and read beside the writer, where many are wanted: what is next seldom changes meanwhile.
  std::optional<std::vector<Claimed>> seen;
  if (request.limit >= kWorthPeeking && request.queues.empty() && !request.only_pinned) {
    SLUICE_TRY(seen, file_.read([&](Database& database) { return peek(database, request); }));
  }
  std::lock_guard in_turn(turns_mutex_);
  const auto work = [&](Database& database) -> Result<std::vector<Claimed>> {
    Account account(database, now);
    SLUICE_CHECK(promote_due(database, account, now));
    SLUICE_CHECK(release_due(database, now));
    SLUICE_TRY(const bool held_back, queue_is_held_back(database, {}));
    if (seen && !held_back) {  // what was seen knows nothing of queues
      SLUICE_TRY(const bool as_it_was, is_next(database, *seen));
      if (as_it_was) {
        SLUICE_CHECK(take(database, account, *seen, true, request.node));
        SLUICE_CHECK(account.close());
        return *std::move(seen);
      }
    }
    Choice choice(database, request, now);
    if (request.queues.empty() && !held_back) {
      SLUICE_CHECK(choice.choose(std::nullopt, request.limit));
    } else {
      SLUICE_TRY(auto open, open_queues(database, request.queues));
      for (Open& one : open) {
        if (one.room != std::numeric_limits<int>::max()) one.room = std::min(one.room, request.most_limited);
      }
      SLUICE_CHECK(choose_in_turn(choice, turns_[request.node], std::move(open), request.limit));
    }
    SLUICE_CHECK(choice.settle(account));
    SLUICE_CHECK(account.close());
    return choice.take_chosen();
  };
  return request.limit < kWorthPeeking ? file_.write_together(work) : file_.write(work);
}

}  // namespace sluice::jobs
