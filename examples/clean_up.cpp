// A recurring job: old files of a folder are removed every night, by whichever node is up, once.
//   clean_up DATA FOLDER DAYS     keeps its jobs in DATA; removes files of FOLDER older than DAYS, now and
//   then nightly
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sluice/jobs/sqlite/store.h>
#include <sluice/jobs/typed.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace jobs = sluice::jobs;

struct CleanUp {
  std::string folder;
  int days = 0;
  static constexpr std::string_view job_kind = "clean-up";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CleanUp, folder, days)

struct Removed {
  int files = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Removed, files)

sluice::Result<Removed> clean_up(const CleanUp& job, jobs::JobContext& context, std::stop_token stop) {
  std::error_code problem;
  std::filesystem::directory_iterator files(job.folder, problem);
  if (problem) return sluice::fail(sluice::ErrorCode::not_found, problem.message(), job.folder);
  const auto oldest = std::filesystem::file_time_type::clock::now() - std::chrono::days(job.days);
  Removed removed;
  for (const auto& file : files) {
    // Shut-down: the job goes back to its queue and is run again. Cancelled: it ends deleted.
    if (stop.stop_requested()) return sluice::fail(sluice::ErrorCode::cancelled, "stopped");
    if (!file.is_regular_file(problem) || file.last_write_time(problem) > oldest) continue;
    if (std::filesystem::remove(file.path(), problem)) {
      ++removed.files;
      context.log(jobs::LogLevel::info, "removed " + file.path().filename().string());
      context.progress({.phase = "removing", .rows = removed.files});
    }
  }
  return removed;
}

sluice::Result<void> run(const std::string& data, const CleanUp& job) {
  SLUICE_TRY(const auto store, jobs::open_sqlite_store(data));
  sluice::SystemClock clock;
  jobs::Engine engine(*store, clock);
  engine.on<CleanUp>(clean_up);
  SLUICE_CHECK(engine.start());
  // Said again at every start: what is unchanged keeps its next time, so that nothing is missed.
  SLUICE_CHECK(engine.upsert_recurring(
      job,
      {.id = "clean-up", .name = "Nightly clean-up", .phrase = "every day at 3am", .zone = "Europe/Zurich"}));
  SLUICE_TRY(const auto recurring, engine.list_recurring());
  for (const auto& one : recurring) {
    fmt::print("{}: {} in {}{}\n", one.spec.name, one.spec.phrase, one.spec.zone,
               one.next_fire_at ? ", next " + sluice::format_utc(*one.next_fire_at) : "");
  }
  // By hand; the schedule goes on as before.
  SLUICE_TRY(const auto id, engine.run_now("clean-up", jobs::Origin::manual, "ada"));
  SLUICE_TRY(const auto done, engine.wait(id));
  SLUICE_TRY(const auto removed, jobs::result_of<Removed>(done));
  fmt::print("removed {} files\n", removed.files);
  return {};
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: clean_up DATA FOLDER DAYS\n");
    return 2;
  }
  if (const auto done = run(argv[1], {.folder = argv[2], .days = std::atoi(argv[3])}); !done) {
    fmt::print(stderr, "{}\n", done.error().describe());
    return 1;
  }
}
