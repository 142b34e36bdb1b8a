// The server is there, and takes nothing: its disk is full, or it is a standby. Nothing is lost, and it goes
// on by itself.
#include "jobs/engine.h"
#include "jobs/engine_fixture.h"
#include "jobs/postgres_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Trouble {
  const char* name;
  const char* code;    // the server's
  const char* advice;  // ours
};
void PrintTo(const Trouble& trouble, std::ostream* out) { *out << trouble.name; }

class PostgresTrouble : public testing::TestWithParam<Trouble> {
 protected:
  // The server's own answer, for whatever is written.
  void begin_trouble() {
    setting_.execute(
        fmt::format("create function no() returns trigger language plpgsql as $$ begin raise "
                    "exception 'the server says no' using errcode = '{}'; end $$",
                    GetParam().code));
    for (const char* table : {"job", "ready", "lease"}) {
      setting_.execute(
          fmt::format("create trigger no before insert or update or delete on {} for each statement "
                      "execute function no()",
                      table));
    }
  }
  void end_trouble() { setting_.execute("drop function no() cascade"); }
  static NewJob job() {
    NewJob job;
    job.kind = "load";
    return job;
  }
  JobState state_of(JobId id) { return store_->queries().get(id).value()->state; }

  PostgresSetting setting_;
  std::unique_ptr<Store> store_ = setting_.open();
  SystemClock clock_;
};

TEST_P(PostgresTrouble, delays_and_loses_nothing) {
  Gate running, done;
  std::atomic<int> runs = 0;
  EngineOptions options;
  options.workers = 2;
  options.poll = 20ms;
  Engine engine(*store_, clock_, options);
  engine.register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    ++runs;
    running.open();
    done.wait();
    return JobOutcome{};
  });
  ASSERT_TRUE(engine.start());
  const JobId first = engine.enqueue(job()).value();
  running.wait();
  begin_trouble();
  const auto refused = engine.enqueue(job());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::io);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_THAT(refused.error().message, HasSubstr(GetParam().advice));
  done.open();  // it ends, and its end cannot be written
  const Completion lost{.lease = {JobId(1), 1}};
  EXPECT_FALSE(store_->jobs().complete(std::span(&lost, 1), clock_.now()));
  EXPECT_EQ(state_of(first), JobState::processing);
  end_trouble();
  while (state_of(first) != JobState::succeeded) std::this_thread::yield();
  const JobId second = engine.enqueue(job()).value();
  while (state_of(second) != JobState::succeeded) std::this_thread::yield();
  EXPECT_EQ(runs, 2) << "each once";
  EXPECT_EQ(store_->queries().list({}).value().size(), 2u);
  engine.stop(10s);
}

INSTANTIATE_TEST_SUITE_P(Server, PostgresTrouble,
                         testing::Values(Trouble{"disk_is_full", "53100", "free some space"},
                                         Trouble{"is_read_only", "25006", "use the primary"}),
                         [](const auto& about) { return std::string(about.param.name); });

}  // namespace
}  // namespace sluice::jobs
