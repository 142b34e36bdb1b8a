// A program of its own with the page of its jobs inside: one that greets, seen at http://127.0.0.1:PORT/jobs.
//   dashboard DATA-FOLDER [PORT]     runs until its input ends (Ctrl-D)
#include <fmt/format.h>
#include <sluice/api/dashboard.h>
#include <sluice/base/clock.h>
#include <sluice/jobs/engine.h>
#include <sluice/jobs/sqlite/store.h>
#include <sluice/jobs/typed.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

struct Greet {
  std::string name;
  static constexpr std::string_view job_kind = "greet";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Greet, name)
};

sluice::Result<void> run(const char* folder, std::uint16_t port) {
  sluice::SystemClock clock;
  SLUICE_TRY(const auto store, sluice::jobs::open_sqlite_store(folder));
  sluice::jobs::Engine engine(*store, clock);
  engine.on<Greet>([](const Greet& greet, sluice::jobs::JobContext& context) -> sluice::Result<void> {
    context.log(sluice::jobs::LogLevel::info, "hello " + greet.name);
    return {};
  });
  SLUICE_CHECK(engine.start());
  SLUICE_TRY(const auto page, sluice::api::Dashboard::start(*store, engine, clock, {.port = port}));
  fmt::print("{}\n", page->url());
  std::fflush(stdout);
  for (std::string name; std::getline(std::cin, name);) {
    SLUICE_TRY(const auto job, engine.enqueue(Greet{.name = name}));
    SLUICE_TRY(const auto done, engine.wait(job));
    fmt::print("greeted {} as job {}\n", name, done.id.value());
    std::fflush(stdout);
  }
  return {};  // the page goes first, then the engine, then the store
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: dashboard DATA-FOLDER [PORT]\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 0);
  const auto done = run(argv[1], port);
  if (!done) fmt::print(stderr, "{}\n", done.error().describe());
  return done ? 0 : 1;
}
