// What the page asks of a long history goes straight to what is wanted: it reads as much as it shows.
#include "jobs/postgres/store.h"
#include "jobs/postgres_fixture.h"
#include "jobs/retry.h"

#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

class PostgresPlans : public testing::Test {
 protected:
  // Entries of job's indexes that `ask` reads.
  template <class Ask>
  std::int64_t reads(const Ask& ask) {
    const std::string name = "plans_" + setting_.schema();
    const std::string sum = fmt::format(
        "select coalesce(sum(idx_tup_read), 0)::bigint from pg_stat_user_indexes where schemaname = "
        "'{}' and relname = 'job'",
        setting_.schema());
    const std::int64_t before = setting_.number(sum);
    {
      const auto store = open_postgres_store(Secret(setting_.url() + "&application_name=" + name),
                                             {.schema = setting_.schema()});
      EXPECT_TRUE(store);
      ask(**store);
    }
    // A connection counts for others when it is gone.
    const std::string there =
        fmt::format("select count(*) from pg_stat_activity where application_name = '{}'", name);
    while (setting_.number(there) > 0) {
    }
    return setting_.number(sum) - before;
  }

  static constexpr int kJobs = 20'000, kShown = 50, kFew = 1'000;
  PostgresSetting setting_;
  std::unique_ptr<Store> store_ = setting_.open();
};

TEST_F(PostgresPlans, a_list_reads_what_it_shows_and_not_the_history) {
  setting_.execute(fmt::format(
      "insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
      "started_at, finished_at, attempt, max_attempts, started_by, history, retry, args, "
      "recurring_id) select case when i % 2 = 0 then 'load' else 'undo' end, 'S' || i % 10, 'S', "
      "case when i % 4 = 0 then 'mail' else 'default' end, case when i < 100 then 6 else 5 end, 0, 5, "
      "i, i, i, i, 1, 1, '', '', '{}', '{{}}', 'load:S' || i % 10 from generate_series(1, {}) as "
      "n(i); analyze job",
      to_json(RetryPolicy::none()), kJobs));
  const auto list = [&](const JobFilter& filter) {
    return reads([&](Store& store) { EXPECT_TRUE(store.queries().list(filter)); });
  };
  EXPECT_LT(list({}), kFew);
  EXPECT_LT(list({.states = {JobState::failed}}), kFew);
  EXPECT_LT(list({.states = {JobState::held}}), kFew) << "there is none";
  EXPECT_LT(list({.kind = "load"}), kFew) << "there is none in most states";
  EXPECT_LT(list({.kind = "nothing"}), kFew);
  EXPECT_LT(list({.subject = "S3"}), kFew);
  EXPECT_LT(list({.subject = "nobody"}), kFew);
  EXPECT_LT(list({.subject = "S4", .kind = "undo"}), kFew) << "they never meet";
  EXPECT_LT(list({.subject = "S4", .kind = "load"}), kFew);
  EXPECT_LT(list({.subject = "S4", .queue = "nowhere"}), kFew * 10) << "those of the subject at most";
  EXPECT_LT(list({.queue = "mail"}), kFew);
  EXPECT_LT(list({.recurring_id = "load:S4"}), kFew);
  EXPECT_LT(list({.states = {JobState::failed}, .kind = "load", .oldest_first = true}), kFew);
  EXPECT_LT(list({.states = {JobState::succeeded}, .kind = "undo", .before = JobId(kJobs / 2)}), kFew);
  EXPECT_LT(reads([&](Store& store) {
              EXPECT_TRUE(store.queries().recent({.kind = "load",
                                                  .subjects = {"S2", "S4", "nobody"},
                                                  .states = {JobState::succeeded, JobState::held}},
                                                 [](const RecentJob&) {}));
            }),
            kFew);
}

}  // namespace
}  // namespace sluice::jobs
