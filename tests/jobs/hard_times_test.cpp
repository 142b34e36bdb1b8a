// The engine when what it leans on does not hold: a store that cannot be asked, listeners that throw, numbers
// without end.
#include "jobs/engine_fixture.h"
#include "sql/sqlite.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HardTimes : public EngineTest {
 protected:
  void by_hand(const std::string& sql) {
    const auto done = (*sql::open_sqlite(scratch_.path() / "jobs.db"))->execute(sql);
    ASSERT_TRUE(done) << done.error().describe();
  }
};

TEST_F(HardTimes, time_runs_out_though_the_store_cannot_be_asked) {
  const auto engine = make();
  Gate begun, stopped;
  engine->register_handler("load", [&](JobContext& context, std::stop_token stop) -> Result<JobOutcome> {
    begun.open();
    Gate never;
    never.wait(stop);
    EXPECT_EQ(context.stop_reason(), StopReason::timeout);
    stopped.open();
    return fail(ErrorCode::cancelled, "stopped in the middle");
  });
  start(*engine);
  NewJob given = job();
  given.timeout = 5s;
  const JobId id = engine->enqueue(given).value();
  tick(*engine);
  begun.wait();
  clock_.advance(6s);
  by_hand("alter table lease rename to lease_away");
  EXPECT_FALSE(engine->tick());
  stopped.wait();
  by_hand("alter table lease_away rename to lease");
  EXPECT_EQ(wait(*engine, id).error->code, "timeout");
}

TEST_F(HardTimes, what_runs_is_asked_to_stop_though_a_service_does_not_end) {
  const auto engine = make();
  Gate begun, stopped;
  engine->register_handler("load", [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    begun.open();
    Gate never;
    never.wait(stop);
    stopped.open();
    return fail(ErrorCode::cancelled, "stopped");
  });
  engine->add_service("slow", [&](std::stop_token) -> Result<void> {
    stopped.wait();  // deaf to its own token
    return {};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  begun.wait();
  engine->stop(1ms);
  EXPECT_EQ(get(id).state, JobState::enqueued);
}

TEST_F(HardTimes, progress_that_cannot_be_saved_takes_no_line_of_the_log_along) {
  const auto engine = make();
  Gate said, go_on;
  engine->register_handler("load", [&](JobContext& context, std::stop_token) -> Result<JobOutcome> {
    context.progress({.rows = 5});
    context.log(LogLevel::info, "half way");
    said.open();
    go_on.wait();
    return JobOutcome{};
  });
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  said.wait();
  by_hand("create trigger no_progress before update on lease begin select raise(abort, 'no'); end");
  clock_.advance(2s);
  tick(*engine);  // goes on all the same
  by_hand("drop trigger no_progress");
  go_on.open();
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
  const auto lines = store_->queries().log(id, 0, 10).value();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].text, "half way");
}

TEST_F(HardTimes, a_listener_that_throws_stops_nobody) {
  const auto engine = make();
  engine->register_handler("load", succeeds());
  const auto subscription = engine->subscribe([](const Change&) { throw std::runtime_error("boom"); });
  start(*engine);
  EXPECT_EQ(wait(*engine, engine->enqueue(job()).value()).state, JobState::succeeded);
}

TEST_F(HardTimes, durations_without_end_and_names_without_measure_are_refused) {
  constexpr auto kForEver = std::chrono::milliseconds::max();
  const auto engine = make();
  const auto refused = [&](const NewJob& given) {
    const auto good = engine->enqueue(given);
    return good ? std::string("it was taken") : good.error().message;
  };
  NewJob given = job();
  given.timeout = kForEver;
  EXPECT_THAT(refused(given), HasSubstr("time-out is at least 0 and at most 100 years"));
  given = job();
  given.latency_limit = kForEver;
  EXPECT_THAT(refused(given), HasSubstr("latency limit"));
  given = job();
  given.retry.until = kForEver;
  EXPECT_THAT(refused(given), HasSubstr("retry.until"));
  given.retry = {.delays = {1s, kForEver}};
  EXPECT_THAT(refused(given), HasSubstr("retry.delays"));
  given.retry = {.max_delay = kForEver};
  EXPECT_THAT(refused(given), HasSubstr("retry.max_delay"));
  given = job();
  given.unique_key = std::string(2000, 'k');
  EXPECT_THAT(refused(given), HasSubstr("unique key is 2000 bytes long"));
}

TEST_F(HardTimes, a_recurring_job_is_checked_as_what_it_fires_is) {
  const auto engine = make();
  const auto refused = [&](const RecurringSpec& spec) {
    const auto taken = engine->upsert_recurring(std::span(&spec, 1));
    return taken ? std::string("it was taken") : taken.error().describe();
  };
  auto spec = recurring();
  spec.kind = kBatchKind;
  EXPECT_THAT(refused(spec), HasSubstr("stands for batches"));
  spec = recurring();
  spec.args = R"({"x":")" + std::string(5u << 20, 'x') + "\"}";
  EXPECT_THAT(refused(spec), HasSubstr("at most"));
  spec = recurring();
  spec.catch_up_window = std::chrono::milliseconds::max();
  EXPECT_THAT(refused(spec), HasSubstr("catch-up window"));
}

}  // namespace
}  // namespace sluice::jobs
