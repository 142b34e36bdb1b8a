// One node for scripts/chaos.sh and scripts/chaos-sqlite.sh, which kill it again and again.
//   chaos_node WHERE enqueue COUNT   enqueues jobs and a recurring one that fires each second, missed: all
//   chaos_node WHERE work            works until it is killed or interrupted
//   chaos_node WHERE drain           works until no job is left; the recurring one fires no more
// WHERE is postgres://… or a folder for SQLite. Each run of a job leaves a row in the table chaos_run before
// it ends: in the same PostgreSQL database, or in the folder's runs.db.
#include "base/clock.h"
#include "base/secret.h"
#include "jobs/engine.h"
#include "jobs/postgres/store.h"
#include "jobs/sqlite/store.h"
#include "sql/postgres.h"
#include "sql/sqlite.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace {

using namespace sluice;
using namespace std::chrono_literals;

bool is_url(std::string_view where) { return where.starts_with("postgres"); }

// A connection for the rows, made anew after an error.
class Rows {
 public:
  explicit Rows(std::string where) : where_(std::move(where)) {}
  Result<void> add(const jobs::JobContext& run) {
    std::lock_guard lock(mutex_);
    if (!connection_) {
      SLUICE_TRY(connection_, open());
    }
    auto done = connection_->execute("insert into chaos_run (job, attempt) values (" +
                                     std::to_string(run.job().id.value()) + ", " +
                                     std::to_string(run.attempt()) + ")");
    if (!done) connection_.reset();
    return done;
  }

 private:
  Result<std::unique_ptr<sql::Connection>> open() const {
    if (is_url(where_)) {
      SLUICE_TRY(auto server, sql::open_postgres(Secret(where_)));
      return server;
    }
    SLUICE_TRY(auto file, sql::open_sqlite(where_ + "/runs.db"));
    SLUICE_CHECK(
        file->execute("create table if not exists chaos_run (job integer not null, attempt integer)"));
    return file;
  }

  const std::string where_;
  std::mutex mutex_;
  std::unique_ptr<sql::Connection> connection_;
};

jobs::RetryPolicy patient() {
  return {.limit = 10'000, .delay = 200ms, .backoff = jobs::Backoff::fixed, .max_delay = 200ms, .jitter = 0};
}

Result<void> enqueue(jobs::Store& store, Clock& clock, int count) {
  jobs::Engine engine(store, clock, {.own_thread = false});
  jobs::RecurringSpec tick;
  tick.id = "tick";
  tick.kind = "noop";
  tick.subject = "tick";
  tick.phrase = "every second";
  tick.missed = jobs::Missed::all;
  tick.retry = patient();
  SLUICE_CHECK(engine.upsert_recurring(std::span(&tick, 1)));
  jobs::NewJob job;
  job.kind = "noop";
  job.retry = patient();
  for (int left = count; left > 0; left -= 1000) {
    const std::vector<jobs::NewJob> batch(static_cast<std::size_t>(std::min(left, 1000)), job);
    SLUICE_TRY(const auto made, engine.enqueue_all(batch));
    static_cast<void>(made);
  }
  return {};
}

Result<void> work(jobs::Store& store, Clock& clock, const std::string& where, bool drain) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Rows rows(where);
  jobs::Engine engine(store, clock, {.workers = 8, .fire_recurring = !drain});
  engine.register_handler("noop",
                          [&](jobs::JobContext& context, std::stop_token) -> Result<jobs::JobOutcome> {
                            SLUICE_CHECK(rows.add(context));
                            return jobs::JobOutcome{};
                          });
  SLUICE_CHECK(engine.start());
  if (drain) {
    for (const auto state :
         {jobs::JobState::scheduled, jobs::JobState::enqueued, jobs::JobState::processing}) {
      jobs::JobFilter filter;
      filter.states = {state};
      filter.limit = 1;
      for (;;) {
        SLUICE_TRY(const auto left, store.queries().list(filter));
        if (left.empty()) break;
        SLUICE_TRY(const auto ended, engine.wait(left.front().id));
        static_cast<void>(ended);
      }
    }
  } else {
    int received = 0;
    sigwait(&ends, &received);
  }
  engine.stop();
  return {};
}

Result<void> run(const std::string& where, std::string_view command, int count) {
  SystemClock clock;
  std::unique_ptr<jobs::Store> store;
  if (is_url(where)) {
    SLUICE_TRY(store, jobs::open_postgres_store(Secret(where)));
  } else {
    SLUICE_TRY(store, jobs::open_sqlite_store(where));
  }
  if (command == "enqueue") return enqueue(*store, clock, count);
  if (command == "work" || command == "drain") return work(*store, clock, where, command == "drain");
  return fail(ErrorCode::invalid_argument, "enqueue, work or drain");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto done = run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 0);
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().describe().c_str());
  return 1;
}
