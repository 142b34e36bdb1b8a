// Many jobs in one or two statements, on SQLite: the names or ids go in as one JSON array.
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr int kMostPerSubject = 100;

std::string json_array(const std::vector<std::string>& texts) {
  return nlohmann::json(texts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A job's own row says `enqueued` while it runs.
JobState stored_state(JobState state) { return state == JobState::processing ? JobState::enqueued : state; }
std::string_view where_it_is(JobState state) {
  if (state == JobState::processing) return " and exists (select 1 from lease where lease.job = job.id)";
  if (state == JobState::enqueued) return " and not exists (select 1 from lease where lease.job = job.id)";
  return {};
}

// For each subject the newest of each state, directly from the index, and the newest of those. The states
// are small numbers of ours, so they may stand in the text.
std::string ids_query(const RecentFilter& filter) {
  std::string newest;
  for (const JobState state : filter.states) {
    if (!newest.empty()) newest += " union all ";
    newest += fmt::format(
        "select id from (select id from job indexed by job_subject where subject = wanted.value and subject "
        "<> '' and state = {}{} and kind = ?2 order by id desc limit ?3)",
        static_cast<int>(stored_state(state)), where_it_is(state));
  }
  return fmt::format(
      "select job.id from json_each(?1) wanted cross join job on job.id in (select id from ({}) order by id "
      "desc limit ?3) order by wanted.key, job.id desc",
      newest);
}

// The rows in the order of the array: it is the outer loop of a cross join. Sorting them by SQL would copy
// every result once more.
std::string rows_query(bool with_result) {
  return fmt::format(
      "select job.id, job.subject, case when lease.job is null then job.state else 2 end, "
      "iif(lease.job is null, job.finished_at, null), iif(lease.job is null, job.duration_ms, null), {} from "
      "json_each(?1) wanted cross join job on job.id = wanted.value left join lease on lease.job = job.id",
      with_result ? "job.result" : "''");
}

}  // namespace

Result<std::vector<Job>> SqliteJobQueries::get_all(std::span<const JobId> ids) {
  nlohmann::json wanted = nlohmann::json::array();
  for (const JobId id : ids) wanted.push_back(id.value());
  return file_.read([&](Database& database) -> Result<std::vector<Job>> {
    std::vector<Job> jobs;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from job j left join lease l on l.job = j.id where j.id in (select value from "
                    "json_each(?)) order by j.id",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto job, read_job(row));
          jobs.push_back(std::move(job));
          return {};
        },
        wanted.dump()));
    return jobs;
  });
}

Result<void> SqliteJobQueries::recent(const RecentFilter& filter, const OnRecent& visit) {
  if (filter.subjects.empty() || filter.states.empty()) return {};
  return file_.read([&](Database& database) -> Result<void> {
    nlohmann::json ids = nlohmann::json::array();
    SLUICE_CHECK(database.each(
        ids_query(filter),
        [&](const Row& row) -> Result<void> {
          ids.push_back(row.integer(0));
          return {};
        },
        json_array(filter.subjects), filter.kind, std::clamp(filter.per_subject, 1, kMostPerSubject)));
    return database.each(
        rows_query(filter.with_result),
        [&](const Row& row) -> Result<void> {
          visit({.id = JobId(row.integer(0)),
                 .subject = row.text(1),
                 .state = static_cast<JobState>(row.integer(2)),
                 .finished_at = row.maybe_time(3),
                 .duration_ms = row.maybe_integer(4),
                 .result = row.text(5)});
          return {};
        },
        ids.dump());
  });
}

}  // namespace sluice::jobs
