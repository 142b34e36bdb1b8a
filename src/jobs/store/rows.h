// Reading the rows of a job store: jobs and recurring jobs, and what is written beside them.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "jobs/job.h"
#include "jobs/recurring.h"
#include "jobs/store/database.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// The columns that read_job() expects, in its order: of `job j`, as its own row says.
std::string_view job_columns();
// What the row says that this program does not know (a state, an origin, a retry policy) is never an error,
// so that one job does not keep others from being listed or run: the job carries it as its own error.
Result<Job> read_job(const Row& row);
// None: this program knows no such state.
std::optional<JobState> known_state(std::int64_t number);
// For whoever would change the job: then a refusal (conflict).
Result<JobState> state_to_change(JobId job, std::int64_t number);
// The same of `job j` and, while it runs, `lease l`, joined from the left: a running job's own row says
// `enqueued`.
std::string_view live_job_columns();

// The columns with args and result left empty where they are longer than kMostListedText bytes: thousands are
// listed at once. `length` is the database's function for the number of bytes, or of characters.
std::string without_long_texts(std::string_view columns, std::string_view length);

std::string_view recurring_columns();
// As read_job(): what is not known is told by Recurring::error, without retries and with the first of
// `missed` and `overlap`. `memo` spares parsing the same retry policy for each of thousands of rows.
struct RetryMemo {
  std::string text;
  RetryPolicy policy;
};
Result<Recurring> read_recurring(const Row& row, RetryMemo* memo = nullptr);

// What insert_job() needs beyond NewJob.
struct InsertedJob {
  JobState state = JobState::enqueued;
  std::optional<Timestamp> fire_at;
  JobId blocking_job;
  std::string reason;
  std::optional<Timestamp> run_at;  // instead of the job's own
};

// The kinds of a node as a JSON array, and back; text that is no such array is unknown.
std::string kinds_text(const std::vector<std::string>& kinds);
std::optional<std::vector<std::string>> kinds_of(std::string_view text);

// When a recurring job of the exclusive key fires next, after `now`.
Result<std::optional<Timestamp>> next_tick(Database& database, std::string_view exclusive_key, Timestamp now);

}  // namespace sluice::jobs
