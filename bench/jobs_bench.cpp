// How many no-op jobs a second a store hands out and takes back, history kept: batched claim and batched
// completion by N threads, preloaded. SQLite in a temporary folder, durable; PostgreSQL at the URL in
// SLUICE_BENCH_POSTGRES (scripts/test-postgres.sh start FILE -c fsync=on), else left out.
// Arguments: batch, threads, and for PostgreSQL: low-water mark on or off, another session holding an old
// snapshot or not.
#include "base/secret.h"
#include "jobs/postgres/store.h"
#include "jobs/sqlite/store.h"
#include "sql/postgres.h"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace sluice;
using jobs::Store;

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().describe().c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

const Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10);

void preload(Store& store, int count) {
  jobs::NewJob job;
  job.kind = "noop";
  const std::vector<jobs::NewJob> batch(1000, job);
  for (int i = 0; i < count; i += 1000) must(store.jobs().enqueue(batch, kNow));
}

// Claims and completes until nothing is left; returns how many.
int drain(Store& store, const std::string& node, int batch) {
  int done = 0;
  for (;;) {
    const auto claimed = must(store.jobs().claim({.node = node, .limit = batch, .kinds = {"noop"}}, kNow));
    if (claimed.empty()) return done;
    std::vector<jobs::Completion> ends(claimed.size());
    for (std::size_t i = 0; i < claimed.size(); ++i) ends[i].lease = claimed[i].lease;
    must(store.jobs().complete(ends, kNow));
    done += static_cast<int>(claimed.size());
  }
}

void run(benchmark::State& state, Store& store, int count) {
  const auto batch = static_cast<int>(state.range(0));
  const auto threads = static_cast<int>(state.range(1));
  must(store.nodes().join({.id = "bench", .name = "bench", .started_at = kNow}));
  preload(store, count);
  for (auto _ : state) {
    std::atomic<int> done{0};
    {
      std::vector<std::jthread> workers;
      workers.reserve(static_cast<std::size_t>(threads));
      for (int i = 0; i < threads; ++i) workers.emplace_back([&] { done += drain(store, "bench", batch); });
    }
    if (done != count) std::abort();
  }
  state.counters["jobs/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
  must(store.nodes().leave("bench", kNow));
}

int jobs_for(const benchmark::State& state) { return state.range(0) == 1 ? 5'000 : 100'000; }

void Sqlite(benchmark::State& state) {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  {
    const auto store = must(jobs::open_sqlite_store(name));
    run(state, *store, jobs_for(state));
  }
  std::filesystem::remove_all(name);
}

void Postgres(benchmark::State& state) {
  const char* const url = std::getenv("SLUICE_BENCH_POSTGRES");
  if (url == nullptr) {
    state.SkipWithError("set SLUICE_BENCH_POSTGRES");
    return;
  }
  const auto beside = must(sql::open_postgres(Secret(url)));
  must(beside->execute("drop schema if exists sluice_bench cascade"));
  const auto store = must(jobs::open_postgres_store(
      Secret(url), {.schema = "sluice_bench", .low_water_mark = state.range(2) != 0}));
  if (state.range(3) != 0) {
    must(beside->execute("begin isolation level repeatable read"));
    must(beside->execute("select count(*) from pg_class"));
  }
  run(state, *store, jobs_for(state));
  if (state.range(3) != 0) must(beside->execute("rollback"));
}

BENCHMARK(Sqlite)->Args({1, 1})->Args({50, 2})->Args({500, 2})->Iterations(1)->UseRealTime()->Unit(
    benchmark::kMillisecond);
BENCHMARK(Postgres)
    ->ArgsProduct({{1, 50, 500}, {4}, {0, 1}, {0, 1}})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
