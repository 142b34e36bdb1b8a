// Fire and forget: a web shop's request handler asks for a mail and goes on; a worker sends it, now or after
// the next start of the program.
//   mailer FOLDER [NAME…]     keeps its jobs in FOLDER/jobs.db and mails to each NAME
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sluice/jobs/sqlite/store.h>
#include <sluice/jobs/typed.h>

#include <cstdio>
#include <string>
#include <vector>

namespace jobs = sluice::jobs;

// The arguments of a job, the name of its kind, and what a job of this kind is like.
struct SendReport {
  std::string to;
  int year = 0;

  static constexpr std::string_view job_kind = "send-report";
  jobs::NewJob job_options() const {
    return {.name = fmt::format("Report of {} to {}", year, to),
            .queue = "mail",
            .retry = {.limit = 5, .delay = std::chrono::seconds(10)}};
  }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SendReport, to, year)

// What a job of the kind leaves behind, shown with the job.
struct Sent {
  std::string id;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Sent, id)

sluice::Result<Sent> send(const SendReport& report, jobs::JobContext& context) {
  if (report.to.find('@') == std::string::npos) {
    // Not retryable: the address does not become better by waiting. fail_transient() would be tried again.
    return sluice::fail(sluice::ErrorCode::invalid_argument, "\"" + report.to + "\" is not an address");
  }
  context.log(jobs::LogLevel::info, "connecting to the mail server");
  return Sent{fmt::format("<{}.{}>", report.year, report.to)};
}

sluice::Result<void> run(const std::string& folder, const std::vector<std::string>& names) {
  SLUICE_TRY(const auto store, jobs::open_sqlite_store(folder));
  sluice::SystemClock clock;
  jobs::Engine engine(*store, clock);
  engine.on<SendReport>(send);
  SLUICE_CHECK(engine.start());

  std::vector<sluice::JobId> mails;
  for (const auto& name : names) {
    SLUICE_TRY(const auto id, engine.enqueue(SendReport{.to = name, .year = 2026}));
    mails.push_back(id);
  }

  // A web shop would not wait; an example wants to see what came of it.
  for (const auto id : mails) {
    SLUICE_TRY(const auto job, engine.wait(id));
    if (const auto sent = jobs::result_of<Sent>(job)) {
      fmt::print("{}: {} {}\n", job.name, to_string(job.state), sent->id);
    } else {
      fmt::print("{}: {}: {}\n", job.name, to_string(job.state), job.error ? job.error->message : job.reason);
    }
  }
  return {};
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: mailer FOLDER [NAME…]\n");
    return 2;
  }
  if (const auto done = run(argv[1], {argv + 2, argv + argc}); !done) {
    fmt::print(stderr, "{}\n", done.error().describe());
    return 1;
  }
}
