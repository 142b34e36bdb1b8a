// What the page asks of a long history goes straight to what is wanted: it reads as much as it shows.
#include "jobs/retry.h"
#include "jobs/scratch.h"
#include "jobs/sqlite/parts.h"
#include "sql/sqlite.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stop_token>

namespace sluice::jobs {
namespace {

class SqlitePlans : public testing::Test {
 protected:
  SqlitePlans() {
    const auto store = open_store(scratch_.path());
    // 20,000 ended ones, the oldest of which failed, and 20,000 that wait.
    const auto done = database_.connection().execute(fmt::format(
        "create temp table n as with recursive n(i) as (select 1 union all select i + 1 from n where i < "
        "{0}) "
        "select i from n;"
        "insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
        "started_at, "
        "finished_at, attempt, max_attempts, started_by, history, retry, args, recurring_id) select iif(i % "
        "2, "
        "'undo', 'load'), 'S' || (i % 10), 'S', iif(i % 4, 'default', 'mail'), iif(i > {0}, 1, iif(i < 100, "
        "6, "
        "5)), 0, 5, i, i, i, iif(i > {0}, null, i), 1, 1, '', '', '{1}', '{{}}', 'load:S' || (i % 10) from "
        "(select i from n union all select i + {0} from n);"
        "insert into ready (job, priority, run_at, kind, queue, token, attempt) select id, priority, run_at, "
        "kind, queue, 1, 0 from job where state = 1",
        kJobs, to_json(RetryPolicy::none())));
    EXPECT_TRUE(done) << done.error().describe();
  }
  // With a stop asked for already, a statement of more than 20,000 steps is ended: half a step for each job.
  void reads_little(const JobFilter& filter, std::size_t expected) {
    std::stop_source stopped;
    stopped.request_stop();
    const sql::StopScope scope(database_.connection(), stopped.get_token());
    const auto ids = list_ids(database_, filter);
    ASSERT_TRUE(ids) << ids.error().describe();
    EXPECT_EQ(ids->size(), expected);
  }

  static constexpr int kJobs = 20'000;
  Scratch scratch_;
  Database database_{sql::open_sqlite(scratch_.path() / "jobs.db").value()};
};

TEST_F(SqlitePlans, a_list_reads_what_it_shows_and_not_the_history) {
  reads_little({.limit = 50}, 50);
  reads_little({.states = {JobState::failed}, .limit = 50}, 50);
  reads_little({.states = {JobState::held}, .limit = 50}, 0);
  reads_little({.states = {JobState::processing}, .limit = 50}, 0);
  reads_little({.kind = "load", .limit = 50}, 50);
  reads_little({.states = {JobState::succeeded}, .kind = "nothing", .limit = 50}, 0);
  reads_little({.subject = "S3", .limit = 50}, 50);
  reads_little({.subject = "nobody", .limit = 50}, 0);
  reads_little({.queue = "mail", .limit = 50}, 50);
  reads_little({.recurring_id = "load:S4", .limit = 50}, 50);
  reads_little({.states = {JobState::failed}, .kind = "load", .oldest_first = true, .limit = 50}, 49);
  reads_little({.states = {JobState::succeeded}, .kind = "undo", .before = JobId(kJobs / 2), .limit = 50},
               50);
}

TEST_F(SqlitePlans, a_list_of_what_waits_reads_what_it_shows) {
  reads_little({.states = {JobState::enqueued}, .limit = 50}, 50);
  reads_little({.states = {JobState::enqueued}, .kind = "undo", .limit = 50}, 50);
  reads_little({.states = {JobState::enqueued}, .subject = "S3", .limit = 50}, 50);
  reads_little({.states = {JobState::enqueued}, .queue = "mail", .limit = 50}, 50);
  reads_little({.states = {JobState::enqueued}, .before = JobId(kJobs + 500), .limit = 50}, 50);
}

}  // namespace
}  // namespace sluice::jobs
