// Measures the job engine, end to end, as run.sh asks:
//   bench_jobs throughput|singly|pinned|latency|scale|recurring sqlite|postgres://… NUMBER
#include "ours.h"

#include "jobs/postgres/store.h"
#include "jobs/sqlite/store.h"
#include "sql/postgres.h"
#include "sql/sqlite.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace sluice::bench {
namespace {

constexpr const char* kSchema = "sluice_bench";

}  // namespace

void give_up(const Error& error) {
  fmt::print(stderr, "{}\n", error.describe());
  std::exit(1);
}

Place::Place(std::string_view url) : url_(url == "sqlite" ? std::string() : std::string(url)) {
  if (postgres()) {
    execute(fmt::format("drop schema if exists {} cascade", kSchema));
    return;
  }
  std::string name = (std::filesystem::temp_directory_path() / "sluice-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
}

Place::~Place() {
  if (postgres()) {
    execute(fmt::format("drop schema if exists {} cascade", kSchema));
  } else {
    std::filesystem::remove_all(folder_);
  }
}

std::unique_ptr<jobs::Store> Place::open() const {
  if (postgres()) return must(jobs::open_postgres_store(url_, {.schema = kSchema}));
  return must(jobs::open_sqlite_store(folder_));
}

void Place::execute(const std::string& script) const {
  if (postgres()) {
    const auto connection = must(sql::open_postgres(url_, {.schema = kSchema}));
    must(connection->execute(script));
  } else {
    const auto connection = must(sql::open_sqlite(folder_ / "jobs.db", {}));
    must(connection->execute(script));
  }
}

jobs::NewJob noop() {
  jobs::NewJob job;
  job.kind = "noop";
  return job;
}

void preload(jobs::Store& store, int count) {
  const SystemClock clock;
  const std::vector<jobs::NewJob> batch(1000, noop());
  for (int i = 0; i < count; i += 1000) {
    const auto size = static_cast<std::size_t>(std::min(1000, count - i));
    must(store.jobs().enqueue(std::span(batch).first(size), clock.now()));
  }
}

void say_rate(std::string_view name, int jobs, const Cost& cost) {
  fmt::print("{{\"name\":\"{}\",\"jobs\":{},\"perSecond\":{:.0f},\"cpuMicros\":{:.1f}}}\n", name, jobs,
             jobs / (ms(cost.took) / 1000), cost.cpu.count() * 1e6 / jobs);
  std::fflush(stdout);
}

void say_times(std::string_view name, std::vector<double> times) {
  std::ranges::sort(times);
  const auto at = [&](double part) {
    return times[std::min(times.size() - 1,
                          static_cast<std::size_t>(static_cast<double>(times.size()) * part))];
  };
  fmt::print(
      "{{\"name\":\"{}\",\"samples\":{},\"p50\":{:.3f},\"p95\":{:.3f},\"p99\":{:.3f},\"max\":{:.3f}}}\n",
      name, times.size(), at(0.5), at(0.95), at(0.99), times.back());
  std::fflush(stdout);
}

}  // namespace sluice::bench

int main(int count, char** arguments) {
  using namespace sluice::bench;
  spdlog::set_level(spdlog::level::warn);
  sluice::sql::forgo_sqlite_statistics();  // as `sluice` does
  if (count == 4) {
    const std::string_view what = arguments[1];
    const std::string url = arguments[2];
    const int number = std::atoi(arguments[3]);
    if (what == "throughput") return throughput(url, number), 0;
    if (what == "singly") return singly(url, number), 0;
    if (what == "pinned") return pinned(url, number), 0;
    if (what == "latency") return latency(url, number), 0;
    if (what == "scale") return scale(url, number), 0;
    if (what == "recurring") return recurring(url, number), 0;
  }
  fmt::print(stderr,
             "bench_jobs throughput|singly|pinned|latency|scale|recurring sqlite|postgres://… NUMBER\n");
  return 2;
}
