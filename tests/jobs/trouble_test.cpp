// What the world does to data/jobs.db while it is in use: removed, replaced, damaged, written by a newer
// program, locked by another one, on a full disk. Nothing is lost in silence, and work goes on when it can.
#include "jobs/engine_fixture.h"
#include "jobs/sqlite/database.h"
#include "sql/sqlite.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace sluice::jobs {
namespace {

namespace fs = std::filesystem;

// No file of this process can be written while it lives.
class FullDisk {
 public:
  FullDisk() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    signal_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit nothing{0, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &nothing);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, signal_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  sighandler_t signal_ = SIG_DFL;
};

class TroubleTest : public EngineTest {
 protected:
  fs::path file() const { return scratch_.path() / "jobs.db"; }
  // An engine by the machine's clock, whose jobs wait for the gate.
  std::unique_ptr<Engine> gated() {
    auto engine =
        std::make_unique<Engine>(*store_, system_clock_, EngineOptions{.workers = 2, .own_thread = false});
    engine->register_handler("load", [this](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
      began_.open();
      if (!gate_.wait(stop)) return fail(ErrorCode::cancelled, "stopped");
      ended_.open();
      return JobOutcome{};
    });
    return engine;
  }

  SystemClock system_clock_;
  Gate began_, gate_, ended_;
};

TEST_F(TroubleTest, a_store_that_is_removed_or_replaced_stops_the_work_and_says_so) {
  auto engine = make();
  engine->register_handler("load", succeeds());
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  const fs::path aside = scratch_.path() / "aside.db";
  for (const bool replaced : {false, true}) {
    fs::rename(file(), aside);
    if (replaced) std::ofstream(file()) << "another file";
    const auto ticked = engine->tick();
    ASSERT_FALSE(ticked) << "work on a file that nobody will find again";
    EXPECT_NE(ticked.error().message.find(file().string()), std::string::npos) << ticked.error().message;
    EXPECT_NE(ticked.error().message.find("put it back"), std::string::npos) << ticked.error().message;
    EXPECT_FALSE(engine->enqueue(job("Lost")));
    EXPECT_FALSE(store_->queries().counts()) << "so that the service is told not to be ready";
    fs::rename(aside, file());
  }
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
  EXPECT_EQ(all().size(), 1u);
}

TEST_F(TroubleTest, a_full_disk_delays_but_loses_nothing) {
  auto engine = gated();
  start(*engine);
  RecurringSpec spec = recurring("* * * * * *");
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  began_.wait();
  ASSERT_TRUE(engine->upsert_recurring(std::span(&spec, 1)));
  const Timestamp due = store_->recurring().next_fire().value().value();
  {
    const FullDisk full;
    gate_.open();
    ended_.wait();  // its result cannot be written for now
    const auto refused = engine->enqueue(job("Other"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::io);
    EXPECT_NE(refused.error().describe().find("jobs.db"), std::string::npos) << refused.error().describe();
    while (system_clock_.now() <= due) std::this_thread::yield();
    EXPECT_FALSE(engine->tick());
    EXPECT_EQ(get(id).state, JobState::processing);
  }
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
  EXPECT_EQ(get(id).attempt, 1);
  while (all().size() < 2) tick(*engine);
  EXPECT_GE(all().at(1).fire_at, due) << "what was due meanwhile fires";
}

TEST_F(TroubleTest, stops_though_its_store_cannot_be_written_and_counts_nothing) {
  auto engine = gated();
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  tick(*engine);
  began_.wait();
  {
    const FullDisk full;
    engine->stop(std::chrono::milliseconds(1));
  }
  engine.reset();
  store_.reset();
  store_ = open_store(scratch_.path());
  auto next = make();
  next->register_handler("load", succeeds());
  start(*next);
  const Job done = wait(*next, id);
  EXPECT_EQ(done.state, JobState::succeeded);
  EXPECT_EQ(done.attempt, 1);
}

TEST_F(TroubleTest, waits_for_another_writer_and_goes_on_when_it_is_done) {
  auto engine = make();
  engine->register_handler("load", succeeds());
  start(*engine);
  const JobId id = engine->enqueue(job()).value();
  const auto other = SqliteFile::open(file());
  ASSERT_TRUE(other);
  const auto held = (*other)->write([&](Database&) -> Result<void> {
    const auto ticked = engine->tick();
    EXPECT_EQ(ticked ? ErrorCode::internal : ticked.error().code, ErrorCode::locked);
    EXPECT_TRUE(store_->queries().counts()) << "the page still reads";
    return {};
  });
  EXPECT_TRUE(held);
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
}

TEST_F(TroubleTest, a_damaged_store_is_refused_with_what_to_do) {
  for (int i = 0; i < 50; ++i) {
    const NewJob one = job();
    ASSERT_TRUE(store_->jobs().enqueue(std::span(&one, 1), clock_.now()));
  }
  store_.reset();
  {
    std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(4096);
    damaged << std::string(fs::file_size(file()) - 4096, '\x5a');
  }
  const auto opened = open_sqlite_store(scratch_.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::io);
  EXPECT_NE(opened.error().describe().find(file().string()), std::string::npos) << opened.error().describe();
  EXPECT_NE(opened.error().describe().find("move"), std::string::npos) << opened.error().describe();
}

TEST_F(TroubleTest, a_store_of_a_newer_program_is_refused_and_left_alone) {
  store_.reset();
  {
    auto newer = sql::open_sqlite(file(), {});
    ASSERT_TRUE(newer);
    ASSERT_TRUE((*newer)->execute("update _sluice_migration set version = 99"));
  }
  const auto opened = open_sqlite_store(scratch_.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_NE(opened.error().describe().find("newer"), std::string::npos) << opened.error().describe();
  EXPECT_NE(opened.error().describe().find("jobs.db"), std::string::npos) << opened.error().describe();
}

TEST_F(TroubleTest, a_second_service_is_told_which_process_is_the_first) {
  const auto first = lock_for_serving(scratch_.path());
  ASSERT_TRUE(first);
  const auto second = lock_for_serving(scratch_.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::locked);
  EXPECT_NE(second.error().message.find(fmt::format("process {}", ::getpid())), std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find("--data"), std::string::npos);
}

TEST_F(TroubleTest, a_thousand_due_in_one_second_fire_once_each) {
  auto engine = make();
  start(*engine);
  std::vector<RecurringSpec> specs(1000, recurring("*/10 * * * *"));
  for (std::size_t i = 0; i < specs.size(); ++i) {
    specs[i].id = fmt::format("load:L{}", i);
    specs[i].subject = fmt::format("L{}", i);
  }
  ASSERT_TRUE(engine->upsert_recurring(specs));
  clock_.advance(std::chrono::minutes(10));
  tick(*engine);
  EXPECT_EQ(store_->queries().counts().value()[1], 1000);
  tick(*engine);
  EXPECT_EQ(store_->queries().counts().value()[1], 1000);
  EXPECT_EQ(store_->recurring().next_fire().value(), clock_.now() + std::chrono::minutes(10));
}

}  // namespace
}  // namespace sluice::jobs
