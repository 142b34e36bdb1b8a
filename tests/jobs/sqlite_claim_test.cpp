// What a claim on SQLite has read beside the writer is taken only while it is still what is next.
#include "jobs/flow.h"
#include "jobs/scratch.h"
#include "jobs/sqlite/store.h"
#include "jobs/sqlite/take.h"
#include "sql/sqlite.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

const Timestamp kNow{std::chrono::microseconds(1'700'000'000'000'000)};
constexpr int kJobs = 3;

class SqliteClaim : public testing::Test {
 protected:
  SqliteClaim() {
    for (int i = 0; i < kJobs; ++i) add(plain());
  }
  static NewJob plain() {
    NewJob job;
    job.kind = "k";
    return job;
  }
  Enqueued add(const NewJob& job) { return store_->jobs().enqueue(std::span(&job, 1), kNow).value().front(); }
  std::optional<std::vector<Claimed>> seen() {
    auto found = peek(beside_, {.node = "n", .limit = kJobs, .kinds = {"k"}});
    EXPECT_TRUE(found) << found.error().describe();
    return *found;
  }
  bool still(const std::vector<Claimed>& jobs) { return is_next(beside_, jobs).value(); }

  Scratch scratch_;
  std::unique_ptr<Store> store_ = open_store(scratch_.path());
  Database beside_{sql::open_sqlite(scratch_.path() / "jobs.db").value()};
};

TEST_F(SqliteClaim, what_comes_behind_changes_nothing) {
  const auto jobs = seen().value();
  EXPECT_EQ(jobs.back().job.id, JobId(kJobs));
  EXPECT_EQ(jobs.back().lease.token, 1);
  add(plain());
  EXPECT_TRUE(still(jobs));
}

TEST_F(SqliteClaim, what_comes_before_is_not_passed_over) {
  const auto jobs = seen().value();
  NewJob urgent = plain();
  urgent.priority = 1;
  add(urgent);
  EXPECT_FALSE(still(jobs));
}

TEST_F(SqliteClaim, what_is_gone_is_not_taken) {
  const auto jobs = seen().value();
  add(plain());
  ASSERT_TRUE(store_->jobs().cancel(JobId(2), "no", kNow));
  EXPECT_FALSE(still(jobs));
}

TEST_F(SqliteClaim, what_others_took_is_not_taken) {
  const auto jobs = seen().value();
  ASSERT_EQ(store_->jobs().claim({.node = "m", .limit = 1, .kinds = {"k"}}, kNow).value().size(), 1u);
  EXPECT_FALSE(still(jobs));
}

TEST_F(SqliteClaim, a_job_that_was_replaced_is_read_again) {
  ASSERT_TRUE(store_->jobs().cancel(JobId(3), "no", kNow));
  NewJob job = plain();
  job.unique_key = "u";
  job.on_collision = Collision::replace;
  job.args = "{\"v\":1}";
  add(job);
  const auto jobs = seen().value();
  job.args = "{\"v\":2}";
  EXPECT_TRUE(add(job).replaced);
  EXPECT_FALSE(still(jobs));
  EXPECT_EQ(seen()->back().job.args, "{\"v\":2}");
}

TEST_F(SqliteClaim, only_plain_jobs_are_read_ahead) {
  NewJob keyed = plain();
  keyed.exclusive_key = "x";
  keyed.priority = 1;
  add(keyed);
  EXPECT_FALSE(seen());
}

TEST_F(SqliteClaim, fewer_than_are_wanted_are_not_read_ahead) {
  ASSERT_TRUE(store_->jobs().cancel(JobId(3), "no", kNow));
  EXPECT_FALSE(seen());
}

TEST_F(SqliteClaim, a_claim_that_wants_no_more_with_keys_does_not_walk_over_all_of_them) {
  const auto with_keys = [&](int first, int count) {
    std::vector<NewJob> jobs(static_cast<std::size_t>(count), plain());
    for (int i = 0; i < count; ++i) {
      jobs[static_cast<std::size_t>(i)].priority = 1;
      jobs[static_cast<std::size_t>(i)].exclusive_key = fmt::format("x{}", first + i);
    }
    ASSERT_TRUE(store_->jobs().enqueue(jobs, kNow));
  };
  const ClaimRequest request{.node = "n", .limit = 20, .kinds = {"k"}, .most_limited = 1};
  with_keys(0, 500);
  EXPECT_EQ(store_->jobs().claim(request, kNow).value().size(), 1u + kJobs) << "the others behind them";
  add(plain());
  with_keys(500, 2500);
  EXPECT_EQ(store_->jobs().claim(request, kNow).value().size(), 1u);
  EXPECT_EQ(store_->jobs().claim({.node = "n", .limit = 5, .kinds = {"k"}}, kNow).value().size(), 5u);
}

TEST_F(SqliteClaim, large_claims_go_from_one_to_the_next) {
  for (int i = 0; i < 97; ++i) add(plain());
  std::int64_t next = 1;
  for (int claims = 0; claims < 2; ++claims) {
    const auto claimed = store_->jobs().claim({.node = "n", .limit = 50, .kinds = {"k"}}, kNow).value();
    ASSERT_EQ(claimed.size(), 50u);
    for (const Claimed& one : claimed) {
      EXPECT_EQ(one.job.id, JobId(next++));
      EXPECT_EQ(one.job.state, JobState::processing);
      EXPECT_EQ(one.job.attempt, 1);
      EXPECT_EQ(one.job.node, "n");
      EXPECT_EQ(one.job.started_at, kNow);
    }
  }
  EXPECT_EQ(store_->nodes().leases("n").value().size(), 100u);
  const auto seen = store_->queries().get(JobId(7)).value();
  EXPECT_EQ(seen->state, JobState::processing);
  EXPECT_EQ(seen->node, "n");
}

}  // namespace
}  // namespace sluice::jobs
