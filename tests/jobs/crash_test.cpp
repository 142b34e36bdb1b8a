// A process that dies holding a job: the next one takes the job back at once, without any time-out.
#include "jobs/engine_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;

// Runs an engine that takes one job and tells the pipe so; killed by the parent.
[[noreturn]] void child_main(const std::filesystem::path& folder, int told) {
  SystemClock clock;
  auto store = open_sqlite_store(folder);
  if (!store) ::_exit(3);
  Engine engine(**store, clock, {.workers = 1});
  engine.register_handler("load", [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    const char one = 1;
    if (::write(told, &one, 1) != 1) ::_exit(4);
    for (;;) ::pause();
  });
  if (!engine.start()) ::_exit(5);
  for (;;) ::pause();
}

// Forks a child that is processing the job when this returns.
pid_t start_child(const std::filesystem::path& folder) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    child_main(folder, ends[1]);
  }
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1) << "the child took no job";
  ::close(ends[0]);
  return child;
}

void kill_and_reap(pid_t child) {
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
}

JobId enqueue(const std::filesystem::path& folder, NewJob job) {
  const auto store = open_store(folder);
  return store->jobs().enqueue(std::span(&job, 1), SystemClock().now()).value().front().id;
}

NewJob load_job() {
  NewJob job;
  job.kind = "load";
  job.subject = "Country";
  job.exclusive_key = "Country";
  return job;
}

TEST(Crash, a_job_of_a_killed_process_runs_again_at_once) {
  const Scratch scratch;
  const JobId id = enqueue(scratch.path(), load_job());
  const pid_t child = start_child(scratch.path());

  const auto store = open_store(scratch.path());
  ManualClock clock(SystemClock().now());
  Engine engine(*store, clock, {.workers = 1, .own_thread = false});
  engine.register_handler("load", succeeds());
  ASSERT_TRUE(engine.start());
  ASSERT_TRUE(engine.tick());
  EXPECT_EQ(store->queries().get(id).value()->state, JobState::processing) << "its process lives";
  EXPECT_EQ(store->nodes().nodes().value().size(), 2u);

  kill_and_reap(child);
  clock.advance(1s);
  ASSERT_TRUE(engine.tick());
  const Job done = engine.wait(id).value();
  EXPECT_EQ(done.state, JobState::succeeded);
  EXPECT_EQ(done.crashes, 1);
  EXPECT_EQ(done.attempt, 1);
  EXPECT_EQ(store->nodes().nodes().value().size(), 1u);
}

TEST(Crash, a_job_that_kills_every_process_is_given_up) {
  const Scratch scratch;
  const JobId id = enqueue(scratch.path(), load_job());
  for (int i = 0; i < kMaxCrashes; ++i) kill_and_reap(start_child(scratch.path()));
  const auto store = open_store(scratch.path());
  SystemClock clock;
  Engine engine(*store, clock, {.workers = 1});
  engine.register_handler("load", succeeds());
  ASSERT_TRUE(engine.start());
  const Job done = engine.wait(id).value();
  EXPECT_EQ(done.state, JobState::failed);
  EXPECT_EQ(done.error->code, "worker_lost");
}

TEST(Crash, no_tick_is_fired_twice_or_lost_by_kills) {
  const Scratch scratch;
  // Children fire a job each second of a schedule under missed: all, and are killed while they do.
  {
    const auto store = open_store(scratch.path());
    SystemClock clock;
    Engine engine(*store, clock, {.workers = 1, .own_thread = false});
    ASSERT_TRUE(engine.start());
    RecurringSpec spec;
    spec.id = "r";
    spec.kind = "tick";
    spec.phrase = "* * * * * *";
    spec.missed = Missed::all;
    ASSERT_TRUE(engine.upsert_recurring(std::span(&spec, 1)));
  }
  for (int i = 0; i < 4; ++i) {
    const JobId job = enqueue(scratch.path(), load_job());
    kill_and_reap(start_child(scratch.path()));
    const auto store = open_store(scratch.path());
    ASSERT_TRUE(store->nodes().rescue_dead(SystemClock().now()));
    EXPECT_EQ(store->jobs().cancel(job, "next round", SystemClock().now()).value(), Cancelled::deleted);
  }
  const auto store = open_store(scratch.path());
  ManualClock clock(std::chrono::floor<std::chrono::seconds>(SystemClock().now()) + 3s);
  Engine engine(*store, clock, {.workers = 1, .own_thread = false});
  ASSERT_TRUE(engine.start());
  ASSERT_TRUE(engine.tick());
  const auto jobs = store->queries().list({.recurring_id = "r", .limit = 1000}).value();
  ASSERT_GE(jobs.size(), 3u);
  EXPECT_EQ(jobs.front().fire_at, clock.now());
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    EXPECT_EQ(*jobs[i - 1].fire_at - *jobs[i].fire_at, 1s) << "newest first, each second once";
  }
}

}  // namespace
}  // namespace sluice::jobs
