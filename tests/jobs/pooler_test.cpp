// A connection pooler between the node and the server: by session it is none of our concern, by transaction
// it would take our prepared statements and settings to others' sessions.
#include "support/pooler.h"

#include "jobs/engine.h"
#include "jobs/postgres_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

using testing::HasSubstr;

TEST(Pooler, that_works_by_session_carries_jobs) {
  const PostgresSetting setting;
  const test::Pooler pooler(setting.url(), "session");
  const auto store = open_postgres_store(Secret(pooler.url()), {.schema = setting.schema()});
  ASSERT_TRUE(store) << store.error().describe();
  SystemClock clock;
  Engine engine(**store, clock, {.workers = 2});
  engine.register_handler("load",
                          [](JobContext&, std::stop_token) -> Result<JobOutcome> { return JobOutcome{}; });
  ASSERT_TRUE(engine.start());
  NewJob job;
  job.kind = "load";
  const auto id = engine.enqueue(job);
  ASSERT_TRUE(id) << id.error().describe();
  const auto ended = engine.wait(*id);
  ASSERT_TRUE(ended) << ended.error().describe();
  EXPECT_EQ(ended->state, JobState::succeeded);
}

class RefusedPooler : public testing::TestWithParam<const char*> {};

TEST_P(RefusedPooler, is_refused_before_anything_is_set) {
  PostgresSetting setting;
  const test::Pooler pooler(setting.url(), GetParam());
  const auto before = sql::open_postgres(Secret(setting.url()));
  ASSERT_TRUE(before);
  for (int i = 0; i < 3; ++i) {
    const auto store = open_postgres_store(Secret(pooler.url()), {.schema = setting.schema()});
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::unsupported);
    EXPECT_FALSE(store.error().retryable);
    EXPECT_THAT(store.error().message, HasSubstr("pool_mode = session"));
  }
  const auto made = (*before)->prepare("select count(*) from pg_namespace where nspname = ?").value();
  made->bind_text(1, setting.schema());
  ASSERT_TRUE(made->step().value());
  EXPECT_EQ(made->int64(0), 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, RefusedPooler, testing::Values("transaction", "statement"),
                         [](const auto& mode) { return std::string(mode.param); });

}  // namespace
}  // namespace sluice::jobs
