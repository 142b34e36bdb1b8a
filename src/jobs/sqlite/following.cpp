#include "jobs/sqlite/following.h"

#include "jobs/sqlite/parts.h"
#include "jobs/store/following.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;

struct Child {
  JobId id;
  Follows follows = Follows::succeeded;
  Timestamp run_at{};
  std::chrono::milliseconds delay{0};
};

Result<std::vector<Child>> waiting_for(Database& database, const Account::Ended& parent, int limit) {
  std::vector<Child> children;
  // Those that only a success helps go on waiting for a failed parent, and are not walked over.
  const int passed_over = parent.state == JobState::failed ? static_cast<int>(Follows::succeeded) : -1;
  SLUICE_CHECK(database.each(
      "select id, follows, run_at, delay_ms from job indexed by job_parent where parent = ?1 and parent is "
      "not null and state = 3 and coalesce(follows, 0) <> ?2 order by id limit ?3",
      [&](const Row& row) -> Result<void> {
        children.push_back({JobId(row.integer(0)), static_cast<Follows>(row.integer(1)), row.time(2),
                            std::chrono::milliseconds(row.integer(3))});
        return {};
      },
      parent.job, passed_over, limit));
  return children;
}

Result<void> settle_one(Database& database, Account& account, const Account::Ended& parent,
                        const Child& child) {
  const Consequence consequence = consequence_of(parent.state, child.follows);
  if (consequence == Consequence::waits) return {};
  JobState to = JobState::deleted;
  Timestamp run_at = child.run_at;
  if (consequence == Consequence::runs) {
    run_at = std::max(run_at, parent.at + child.delay);
    to = run_at > account.now() ? JobState::scheduled : JobState::enqueued;
  }
  const std::string why = ended_text(parent.job, parent.state);
  SLUICE_CHECK(database.run("update job set state = ?, run_at = ?, finished_at = ?, reason = ? where id = ?",
                            to, run_at, is_final(to) ? std::optional(account.now()) : std::nullopt,
                            is_final(to) ? std::string_view(why) : std::string_view(), child.id));
  if (to == JobState::enqueued) SLUICE_CHECK(enter_ready(database, child.id));
  return account.step({.job = child.id, .from = JobState::awaiting, .to = to, .reason = why});
}

// Returns how many it settled, `limit` at most; what is left over is kept for the next time.
Result<int> settle_all(Database& database, Account& account, std::deque<Account::Ended> ended, int limit) {
  int left = limit;
  while (!ended.empty() && left > 0) {
    const Account::Ended parent = ended.front();
    SLUICE_TRY(const auto children, waiting_for(database, parent, left));
    for (const Child& child : children) SLUICE_CHECK(settle_one(database, account, parent, child));
    // Those that end take their own children along.
    for (const Account::Ended& one : account.take_ended()) ended.push_back(one);
    left -= static_cast<int>(children.size());
    if (left <= 0) break;
    SLUICE_CHECK(database.run("delete from settling where job = ?", parent.job));
    ended.pop_front();
  }
  for (const Account::Ended& one : ended) {
    SLUICE_CHECK(database.run(
        "insert into settling (job, state, at) select ?1, ?2, ?3 where exists (select 1 from job indexed by "
        "job_parent where parent = ?1 and parent is not null and state = 3) on conflict (job) do update set "
        "state = excluded.state, at = excluded.at",
        one.job, one.state, one.at));
  }
  return limit - left;
}

}  // namespace

Result<InsertedJob> follow(Database& database, const NewJob& job, Timestamp now) {
  std::optional<ParentSeen> parent;
  SLUICE_CHECK(database.each(
      "select state, finished_at from job where id = ?",
      [&](const Row& row) -> Result<void> {
        SLUICE_TRY(const JobState state, state_to_change(job.parent, row.integer(0)));
        parent = ParentSeen{state, row.maybe_time(1)};
        return {};
      },
      job.parent));
  return born_after(job, parent, now);
}

Result<void> settle_ended(Database& database, Account& account, std::int64_t new_awaiting) {
  const auto ended = account.take_ended();
  if (ended.empty()) return {};
  std::int64_t awaiting = new_awaiting;
  SLUICE_CHECK(database.each("select n from job_count where state = 3", [&](const Row& row) -> Result<void> {
    awaiting += row.integer(0);
    return {};
  }));
  if (awaiting == 0) return {};
  SLUICE_TRY(const int settled, settle_all(database, account, {ended.begin(), ended.end()}, kSettleAtOnce));
  static_cast<void>(settled);
  return {};
}

Result<int> SqliteFlowStore::settle(int limit, Timestamp now) {
  const auto read_left = [](Database& database) -> Result<std::deque<Account::Ended>> {
    std::deque<Account::Ended> left;
    SLUICE_CHECK(database.each(
        "select job, state, at from settling order by job limit 100", [&](const Row& row) -> Result<void> {
          left.push_back({JobId(row.integer(0)), static_cast<JobState>(row.integer(1)), row.time(2)});
          return {};
        }));
    return left;
  };
  // Mostly there is nothing, and that is seen without the writer.
  SLUICE_TRY(const auto seen, file_.read(read_left));
  if (seen.empty()) return 0;
  return file_.write([&](Database& database) -> Result<int> {
    SLUICE_TRY(auto left, read_left(database));
    Account account(database, now);
    SLUICE_TRY(const int settled, settle_all(database, account, std::move(left), limit));
    SLUICE_CHECK(account.close());
    return settled;
  });
}

Result<std::vector<Job>> SqliteFlowStore::children(JobId parent, JobId after, int limit) {
  return file_.read([&](Database& database) -> Result<std::vector<Job>> {
    std::vector<Job> jobs;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from job j indexed by job_parent left join lease l on l.job = j.id where "
                    "j.parent = ?1 and j.parent is not null and j.id > ?2 order by j.id limit ?3",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto job, read_job(row));
          jobs.push_back(std::move(job));
          return {};
        },
        parent, after, std::clamp(limit, 1, kMostListed)));
    return jobs;
  });
}

}  // namespace sluice::jobs
