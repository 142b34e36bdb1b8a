// One node for scripts/chaos.sh, which kills it again and again.
//   chaos_node URL enqueue COUNT   enqueues jobs and a recurring one that fires each second, missed: all
//   chaos_node URL work            works until it is killed or interrupted
// Each run of a job leaves a row in the table chaos_run before it ends.
#include "base/clock.h"
#include "base/secret.h"
#include "jobs/engine.h"
#include "jobs/postgres/store.h"
#include "sql/postgres.h"

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

// A connection for the rows, made anew when it is lost.
class Rows {
 public:
  explicit Rows(Secret url) : url_(std::move(url)) {}
  Result<void> execute(const std::string& statement) {
    std::lock_guard lock(mutex_);
    if (!connection_ || !connection_->alive()) {
      SLUICE_TRY(connection_, sql::open_postgres(url_));
    }
    return connection_->execute(statement);
  }

 private:
  const Secret url_;
  std::mutex mutex_;
  std::unique_ptr<sql::PostgresConnection> connection_;
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

Result<void> work(jobs::Store& store, Clock& clock, const Secret& url) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Rows rows(url);
  jobs::Engine engine(store, clock, {.workers = 8});
  engine.register_handler("noop",
                          [&](jobs::JobContext& context, std::stop_token) -> Result<jobs::JobOutcome> {
                            SLUICE_CHECK(rows.execute("insert into public.chaos_run (job, attempt) values (" +
                                                      std::to_string(context.job().id.value()) + ", " +
                                                      std::to_string(context.attempt()) + ")"));
                            return jobs::JobOutcome{};
                          });
  SLUICE_CHECK(engine.start());
  int received = 0;
  sigwait(&ends, &received);
  engine.stop();
  return {};
}

Result<void> run(const Secret& url, std::string_view command, int count) {
  SystemClock clock;
  SLUICE_TRY(const auto store, jobs::open_postgres_store(url));
  if (command == "enqueue") return enqueue(*store, clock, count);
  if (command == "work") return work(*store, clock, url);
  return fail(ErrorCode::invalid_argument, "enqueue or work");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto done = run(Secret(argv[1]), argv[2], argc > 3 ? std::atoi(argv[3]) : 0);
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().describe().c_str());
  return 1;
}
