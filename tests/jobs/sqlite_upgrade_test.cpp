// A store that an earlier program wrote is brought up to date with everything in it.
#include "base/file.h"
#include "jobs/flow.h"
#include "jobs/retry.h"
#include "jobs/scratch.h"
#include "jobs/sqlite/schema.h"
#include "jobs/sqlite/store.h"
#include "sql/migration.h"
#include "sql/sqlite.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr std::size_t kBeforeHotTables = 6;
const Timestamp kNow{std::chrono::microseconds(1'700'000'000'000'000)};

class SqliteUpgrade : public testing::Test {
 protected:
  // The store as the program of that version left it.
  void written_by(std::size_t version, const std::string& script) {
    auto opened = sql::open_sqlite(scratch_.path() / "jobs.db");
    ASSERT_TRUE(opened);
    const auto versions = sqlite_schema_versions().first(version);
    ASSERT_TRUE(sql::migrate(**opened, "jobs", versions));
    const auto done = (*opened)->execute("create temp table retry as select '" +
                                         to_json(RetryPolicy::none()) + "' as text; " + script);
    ASSERT_TRUE(done) << done.error().describe();
  }
  static std::vector<std::string> told(Store& store, std::int64_t job) {
    std::vector<std::string> lines;
    const auto history = store.queries().history(JobId(job));
    EXPECT_TRUE(history) << history.error().describe();
    for (const StateChange& one : *history)
      lines.push_back(fmt::format("{} {} {} {} {} {}", one.seq, to_string(one.state),
                                  one.at.time_since_epoch().count(), one.attempt, one.node, one.reason));
    return lines;
  }
  static std::vector<std::int64_t> ids(Store& store, const JobFilter& filter) {
    std::vector<std::int64_t> found;
    const auto jobs = store.queries().list(filter);
    EXPECT_TRUE(jobs) << jobs.error().describe();
    for (const Job& job : *jobs) found.push_back(job.id.value());
    std::ranges::sort(found);
    return found;
  }
  Scratch scratch_;
};

// One of each state as version 6 kept them: the kind "k" and the subject "s1", "s2" … tell them apart.
constexpr std::string_view kOfEachState = R"sql(
insert into job (id, kind, subject, name, queue, state, origin, priority, created_at, run_at, attempt,
    max_attempts, lease, node, started_by, retry, args, result)
  select 10 + value, 'k', 's' || value, 'n', iif(value = 5, 'mail', 'default'), value, 0, 5, 100, 200, 0, 1, 0, '',
    'me', (select text from retry), '{"a":1}', '' from json_each('[0,1,2,3,4,5,6,7,8]');
insert into job_history select id, 1, 1, 100, 0, '', 'why "so"' || char(10) from job;
update job set attempt = 2, lease = 2, node = 'n1', started_at = 300, progress_rows = 7, progress_bytes = 8,
  progress_phase = 'fetch', cancel_requested_at = 350, reason = 'stop it' where id = 12;
insert into job_history values (12, 2, 2, 250, 1, 'n0', ''), (12, 3, 0, 260, 1, 'n0', 'again'),
  (12, 4, 1, 270, 1, '', ''), (12, 5, 2, 300, 2, 'n1', '');
update job set attempt = 1, lease = 1, node = 'n1', started_at = 300, finished_at = 400, duration_ms = 5,
  result = '{"read":3}' where id = 15;
insert into job_history values (15, 2, 2, 300, 1, 'n1', ''), (15, 3, 5, 400, 1, 'n1', '');
update job set finished_at = 400, error_code = 'io', error_message = 'lost' where id = 16;
update job set exclusive_key = 'x', limit_key = 'l', pinned_node = 'n9', unique_key = 'u' where id = 11;
update job set batch = 13, parent = 16, follows = 1 where id = 18;
insert into batch values (13, 1, 0, 0, 1);
insert into unique_key values ('u', 11, 0);
insert into job_log values (15, 1, 320, 1, 0, 'a line');
update job_count set n = 1;
insert into job_minute values (0, 5, 1, 5, 3);
update sqlite_sequence set seq = 90 where name = 'job';
)sql";

TEST_F(SqliteUpgrade, jobs_in_every_state_stay_as_they_are) {
  written_by(kBeforeHotTables, std::string(kOfEachState));
  const auto store = open_store(scratch_.path());
  for (const JobState state : kJobStates) {
    const std::int64_t id = 10 + static_cast<std::int64_t>(state);
    EXPECT_EQ(ids(*store, {.states = {state}}), std::vector{id}) << to_string(state);
    EXPECT_EQ(ids(*store, {.states = {state}, .kind = "k"}), std::vector{id}) << to_string(state);
    EXPECT_EQ(ids(*store, {.subject = fmt::format("s{}", static_cast<int>(state))}), std::vector{id});
    const auto job = store->queries().get(JobId(id)).value();
    ASSERT_TRUE(job) << id;
    EXPECT_EQ(job->state, state);
    EXPECT_EQ(job->args, "{\"a\":1}");
    EXPECT_EQ(job->started_by, "me");
    EXPECT_EQ(told(*store, id).front(), "1 enqueued 100 0  why \"so\"\n");
  }
  const auto counts = store->queries().counts().value();
  EXPECT_TRUE(std::ranges::all_of(counts, [](auto n) { return n == 1; }));
  EXPECT_EQ(store->queries().minutes({}).value().front().amount, 3);
  EXPECT_EQ(ids(*store, {.queue = "mail"}), std::vector<std::int64_t>{15});
  EXPECT_EQ(store->queries().log(JobId(15), 0, 9).value().front().text, "a line");
  const auto done = store->queries().get(JobId(15)).value();
  EXPECT_EQ(done->result, "{\"read\":3}");
  EXPECT_EQ(done->duration_ms, 5);
  EXPECT_EQ(done->attempt, 1);
  EXPECT_EQ(told(*store, 15).back(), "3 succeeded 400 1 n1 ");
  EXPECT_EQ(store->queries().get(JobId(16)).value()->error->message, "lost");
  EXPECT_EQ(store->queries().get(JobId(18)).value()->parent, JobId(16));
  EXPECT_EQ(store->flow().batch(JobId(13)).value()->deleted, 1);
  EXPECT_EQ(ids(*store, {.batch = JobId(13)}), std::vector<std::int64_t>{18});
}

TEST_F(SqliteUpgrade, what_ran_still_runs_and_can_be_ended) {
  written_by(kBeforeHotTables, std::string(kOfEachState));
  const auto store = open_store(scratch_.path());
  const auto runs = store->queries().get(JobId(12)).value();
  EXPECT_EQ(runs->attempt, 2);
  EXPECT_EQ(runs->node, "n1");
  EXPECT_EQ(runs->reason, "stop it");
  EXPECT_TRUE(runs->cancel_requested_at);
  EXPECT_EQ(runs->progress->rows, 7);
  EXPECT_EQ(runs->progress->phase, "fetch");
  const std::vector<std::string> before = {"1 enqueued 100 0  why \"so\"\n", "2 processing 250 1 n0 ",
                                           "3 scheduled 260 1 n0 again", "4 enqueued 270 1  ",
                                           "5 processing 300 2 n1 "};
  EXPECT_EQ(told(*store, 12), before);
  EXPECT_EQ(store->nodes().cancel_requests("n1").value().size(), 1u);
  ASSERT_EQ(store->nodes().leases("n1").value().size(), 1u);
  Completion late, end;
  late.lease = {JobId(12), 1};
  end.lease = {JobId(12), 2};
  EXPECT_FALSE(store->jobs().complete(std::span(&late, 1), kNow).value().front());
  EXPECT_EQ(store->jobs().complete(std::span(&end, 1), kNow).value().front(), JobState::succeeded);
  auto after = before;
  after.push_back(fmt::format("6 succeeded {} 2 n1 ", kNow.time_since_epoch().count()));
  EXPECT_EQ(told(*store, 12), after);
  EXPECT_EQ(store->queries().get(JobId(12)).value()->progress->rows, 7);
}

TEST_F(SqliteUpgrade, what_waited_keeps_its_place_and_its_keys) {
  written_by(kBeforeHotTables, std::string(kOfEachState));
  const auto store = open_store(scratch_.path());
  ASSERT_TRUE(store->nodes().join({.id = "n9", .name = "n9", .started_at = kNow}));
  NewJob twin;
  twin.kind = "k";
  twin.exclusive_key = "x";
  twin.unless_live = true;
  EXPECT_EQ(store->jobs().enqueue(std::span(&twin, 1), kNow).value().front().id, JobId(11));
  twin.exclusive_key.clear();
  twin.unique_key = "u";
  EXPECT_FALSE(store->jobs().enqueue(std::span(&twin, 1), kNow).value().front().created);
  NewJob fresh;
  fresh.kind = "k";
  EXPECT_EQ(store->jobs().enqueue(std::span(&fresh, 1), kNow).value().front().id, JobId(91))
      << "numbers of forgotten jobs are not given again";
  const ClaimRequest other{.node = "n8", .limit = 9, .kinds = {"k"}};
  const ClaimRequest request{.node = "n9", .limit = 9, .kinds = {"k"}};
  EXPECT_EQ(store->jobs().claim(other, Timestamp(std::chrono::microseconds(150))).value().size(), 1u)
      << "the other one is pinned to n9";
  const auto claimed = store->jobs().claim(request, kNow).value();
  ASSERT_EQ(claimed.size(), 2u);
  EXPECT_EQ(claimed[0].job.id, JobId(10)) << "scheduled for the same time";
  EXPECT_EQ(claimed[1].job.id, JobId(11));
  EXPECT_EQ(claimed[1].lease.token, 1);
}

TEST_F(SqliteUpgrade, every_version_leads_to_the_newest) {
  for (std::size_t version = 0; version < sqlite_schema_versions().size(); ++version) {
    SCOPED_TRACE(version);
    const Scratch scratch;
    {
      auto opened = sql::open_sqlite(scratch.path() / "jobs.db");
      ASSERT_TRUE(opened);
      if (version > 0) {
        ASSERT_TRUE(sql::migrate(**opened, "jobs", sqlite_schema_versions().first(version)));
        ASSERT_TRUE((*opened)->execute(
            "insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, "
            "max_attempts, started_by, retry, args" +
            std::string(version > kBeforeHotTables ? ", history" : "") +
            ") values ('k', '', 'n', 'default', 5, 0, 5, 1, 1, 1, '', '" + to_json(RetryPolicy::none()) +
            "', '{}'" + (version > kBeforeHotTables ? ", ''" : "") + ")"));
      }
    }
    const auto store = open_store(scratch.path());
    EXPECT_EQ(store->queries().list({}).value().size(), version > 0 ? 1u : 0u);
    NewJob job;
    job.kind = "k";
    EXPECT_TRUE(store->jobs().enqueue(std::span(&job, 1), kNow));
    EXPECT_EQ(store->jobs().claim({.node = "n", .limit = 1, .kinds = {"k"}}, kNow).value().size(), 1u);
  }
}

}  // namespace
}  // namespace sluice::jobs
