// No-op jobs a second through the whole engine, preloaded, history kept; and with a commit a job.
#include "base/clock.h"
#include "cpu.h"
#include "jobs/engine.h"
#include "ours.h"
#include "sql/postgres.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sluice::bench {
namespace {

Cost drain(jobs::Store& store, int count) {
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<int> done = 0;
  jobs::Engine engine(store, clock, {.workers = 4, .fire_recurring = false});
  engine.register_handler("noop", [](jobs::JobContext&, std::stop_token) -> Result<jobs::JobOutcome> {
    return jobs::JobOutcome{};
  });
  const auto listening = engine.subscribe([&](const jobs::Change& change) {
    const auto* job = std::get_if<jobs::JobChanged>(&change);
    if (job == nullptr || job->state != jobs::JobState::succeeded || ++done < count) return;
    std::lock_guard lock(mutex);
    changed.notify_all();
  });
  const auto cpu = cpu_time();
  const auto begun = Steady::now();
  must(engine.start());
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done >= count; });
  }
  return {Steady::now() - begun, cpu_time() - cpu};
}

// Enqueue one by one, each call answered after its commit, on so many threads.
Cost enqueue_singly(jobs::Store& store, int count, int threads) {
  const SystemClock clock;
  const jobs::NewJob job = noop();
  std::atomic<int> left = count;
  const auto cpu = cpu_time();
  const auto begun = Steady::now();
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < threads; ++i) {
      producers.emplace_back([&] {
        while (left-- > 0) must(store.jobs().enqueue(std::span(&job, 1), clock.now()));
      });
    }
  }
  return {Steady::now() - begun, cpu_time() - cpu};
}

// Claim one, end it, each with a commit, on so many threads.
Cost drain_singly(jobs::Store& store, int threads) {
  const SystemClock clock;
  must(store.nodes().join({.id = "bench", .name = "bench", .started_at = clock.now()}));
  const auto cpu = cpu_time();
  const auto begun = Steady::now();
  {
    std::vector<std::jthread> workers;
    workers.reserve(static_cast<std::size_t>(threads));
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        for (;;) {
          const auto claimed =
              must(store.jobs().claim({.node = "bench", .limit = 1, .kinds = {"noop"}}, clock.now()));
          if (claimed.empty()) return;
          jobs::Completion end;
          end.lease = claimed.front().lease;
          must(store.jobs().complete(std::span(&end, 1), clock.now()));
        }
      });
    }
  }
  return {Steady::now() - begun, cpu_time() - cpu};
}

}  // namespace

void throughput(const std::string& url, int count) {
  for (int run = 0; run < 3; ++run) {
    const Place place(url);
    const auto store = place.open();
    const auto cpu = cpu_time();
    const auto before = Steady::now();
    preload(*store, count);
    if (run == 0)
      say_rate(fmt::format("sluice on {}: enqueue in batches of 1000", place.name()), count,
               Cost{Steady::now() - before, cpu_time() - cpu});
    say_rate(fmt::format("sluice on {}: through the engine", place.name()), count, drain(*store, count));
  }
  singly(url, std::min(count, 10'000));
}

void singly(const std::string& url, int count) {
  const Place place(url);
  const auto store = place.open();
  preload(*store, count);
  say_rate(fmt::format("sluice on {}: a claim and a commit a job", place.name()), count,
           drain_singly(*store, place.postgres() ? 8 : 1));
  for (const int threads : {1, 8}) {
    const Place fresh(url);
    say_rate(fmt::format("sluice on {}: enqueue one by one from {} threads", fresh.name(), threads), count,
             enqueue_singly(*fresh.open(), count, threads));
  }
}

void pinned(const std::string& url, int count) {
  if (url == "sqlite") return;
  for (const bool old_snapshot : {false, true}) {
    const Place place(url);
    const auto store = place.open();
    preload(*store, count);
    const auto beside = must(sql::open_postgres(place.url()));
    if (old_snapshot) {
      must(beside->execute("begin isolation level repeatable read"));
      must(beside->execute("select count(*) from pg_class"));
    }
    say_rate(old_snapshot ? "sluice on PostgreSQL: another session holds an old snapshot"
                          : "sluice on PostgreSQL: no old snapshot",
             count, drain(*store, count));
    must(beside->execute("rollback"));
  }
}

}  // namespace sluice::bench
