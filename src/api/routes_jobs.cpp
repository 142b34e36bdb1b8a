// Jobs, what runs them, and what may be done to one.
#include "api/query.h"
#include "api/routes.h"

namespace sluice::api {
namespace {

constexpr Parameter kPaging[] = {
    {"limit", "Items per page, 1 to 500 (50)"},
    {"after", "Where the page before ended; taken from its \"next\""},
};
constexpr Parameter kJobFilter[] = {
    {"limit", "Items per page, 1 to 500 (50)"},
    {"after", "Where the page before ended; taken from its \"next\""},
    {"state", "One state or several, comma-separated or repeated"},
    {"loader", "Jobs of this loader"},
    {"kind", "Jobs of this kind, such as load"},
    {"queue", "Jobs of this queue"},
    {"node", "Jobs that ran on this node"},
    {"retrying", "true: only scheduled jobs that have had an attempt"},
    {"text", "Part of the name or of the error message, any case"},
    {"from", "Created at this time or later"},
    {"to", "Created before this time"},
    {"batch", "Number of a batch: only its jobs"},
};
constexpr Parameter kExpected[] = {
    {"expected", "Only if the job is still in this state; else 409 and the state it is in"},
};
constexpr Parameter kReschedule[] = {
    {"at", "When it is to run"},
    {"expected", "Only if the job is still in this state; else 409 and the state it is in"},
};
constexpr Parameter kBulk[] = {
    {"limit", "Most jobs of one call, 1 to 500; 50 by default"},
    {"after", "The `next` of the last call"},
    {"state",
     "States, comma-separated or repeated: scheduled, awaiting, held, failed, deleted; failed by default"},
    {"loader", "Name of a loader"},
    {"kind", "Kind of job"},
    {"queue", "Name of a queue"},
    {"batch", "Number of a batch: only its jobs"},
};

using PagedRead = Result<ListPage> (JobReads::*)(JobId, const PageRequest&);
using List = Result<ListPage> (JobReads::*)(const PageRequest&);
using Action = Result<std::string> (Actions::*)(JobId, const std::string&);
using Change = Result<std::string> (Actions::*)(JobId, const JobAsk&);

Result<Response> list_jobs(const Call& call) {
  SLUICE_TRY(const JobFilter filter, parse_job_filter(call.request.target));
  SLUICE_TRY(const PageRequest page, parse_page(call.request.target));
  SLUICE_TRY(const ListPage jobs, call.backend.jobs.jobs(filter, page));
  return json_response(list_document(jobs, call.request.target));
}

Result<Response> one_job(const Call& call) {
  SLUICE_TRY(const JobId id, parse_job_id(call.captures[0]));
  SLUICE_TRY(std::string job, call.backend.jobs.job(id));
  return json_response(std::move(job));
}

template <PagedRead read>
Result<Response> list_of_job(const Call& call) {
  SLUICE_TRY(const JobId id, parse_job_id(call.captures[0]));
  SLUICE_TRY(const PageRequest page, parse_page(call.request.target));
  SLUICE_TRY(const ListPage items, (call.backend.jobs.*read)(id, page));
  return json_response(list_document(items, call.request.target));
}

template <Action action>
Result<Response> act_on_job(const Call& call) {
  SLUICE_TRY(const JobId id, parse_job_id(call.captures[0]));
  SLUICE_TRY(std::string answer, (call.backend.actions.*action)(id, call.actor()));
  return json_response(std::move(answer), 202);
}

template <Change change>
Result<Response> change_job(const Call& call) {
  SLUICE_TRY(const JobId id, parse_job_id(call.captures[0]));
  JobAsk ask{.actor = call.actor(), .expected = {}, .at = {}};
  SLUICE_TRY(ask.expected, parse_expected(call.request.target));
  SLUICE_TRY(std::string answer, (call.backend.actions.*change)(id, ask));
  return json_response(std::move(answer), 202);
}

Result<Response> reschedule_job(const Call& call) {
  SLUICE_TRY(const JobId id, parse_job_id(call.captures[0]));
  JobAsk ask{.actor = call.actor(), .expected = {}, .at = {}};
  SLUICE_TRY(ask.expected, parse_expected(call.request.target));
  SLUICE_TRY(ask.at, parse_time_parameter(call.request.target, "at"));
  if (!ask.at) return fail(ErrorCode::invalid_argument, "at: say when, as in ?at=2026-01-05T09:30:00Z");
  SLUICE_TRY(std::string answer, call.backend.actions.reschedule_job(id, ask));
  return json_response(std::move(answer), 202);
}

Result<Response> retry_jobs(const Call& call) {
  SLUICE_TRY(JobFilter filter, parse_job_filter(call.request.target));
  SLUICE_TRY(const PageRequest page, parse_page(call.request.target));
  if (filter.states.empty()) filter.states = {"failed"};
  SLUICE_TRY(std::string answer, call.backend.actions.retry_jobs(filter, page, call.actor()));
  return json_response(std::move(answer), 202);
}

template <List read>
Result<Response> plain_list(const Call& call) {
  SLUICE_TRY(const PageRequest page, parse_page(call.request.target));
  SLUICE_TRY(const ListPage items, (call.backend.jobs.*read)(page));
  return json_response(list_document(items, call.request.target));
}

template <Result<std::string> (QueueActions::*action)(const std::string&, const std::string&)>
Result<Response> act_on_queue(const Call& call) {
  SLUICE_TRY(std::string answer, (call.backend.queues.*action)(call.captures[0], call.actor()));
  return json_response(std::move(answer));
}

constexpr std::string_view kJson = "application/json";
constexpr Route kRoutes[] = {
    {"GET", "/api/v1/jobs", kJson, "Jobs, newest first", kJobFilter, list_jobs},
    {"GET", "/api/v1/jobs/{id}", kJson, "One job with its states", {}, one_job},
    {"GET", "/api/v1/jobs/{id}/changes", kJson, "Rows that a run changed, before and after", kPaging,
     list_of_job<&JobReads::job_changes>},
    {"GET", "/api/v1/jobs/{id}/rejects", kJson, "Records that a run could not take", kPaging,
     list_of_job<&JobReads::job_rejects>},
    {"GET", "/api/v1/jobs/{id}/log", kJson, "A job's log lines, oldest first", kPaging,
     list_of_job<&JobReads::job_log>},
    {"POST", "/api/v1/jobs/{id}/cancel", kJson,
     "Cancel a job that waits, or ask a processing one to stop; a batch: all its jobs", kExpected,
     change_job<&Actions::cancel_job>},
    {"POST", "/api/v1/jobs/{id}/retry", kJson, "Run a failed, deleted or waiting job now", kExpected,
     change_job<&Actions::retry_job>},
    {"POST", "/api/v1/jobs/{id}/reschedule", kJson, "Put a job that waits or rests off to a time",
     kReschedule, reschedule_job},
    {"POST", "/api/v1/jobs/retry", kJson, "Run all failed jobs of a filter again, a page of them at a time",
     kBulk, retry_jobs},
    {"GET", "/api/v1/batches", kJson, "Batches of jobs with their counts, newest first", kPaging,
     plain_list<&JobReads::batches>},
    {"POST",
     "/api/v1/jobs/{id}/undo",
     kJson,
     "Revert what a run changed",
     {},
     act_on_job<&Actions::undo_job>},
    {"POST",
     "/api/v1/jobs/{id}/approve",
     kJson,
     "Let a held run go on",
     {},
     act_on_job<&Actions::approve_job>},
    {"GET", "/api/v1/recurring", kJson, "Recurring jobs with their schedules", kPaging,
     plain_list<&JobReads::recurring>},
    {"GET", "/api/v1/queues", kJson, "Queues with their depth", kPaging, plain_list<&JobReads::queues>},
    {"POST",
     "/api/v1/queues/{name}/pause",
     kJson,
     "Begin no job of a queue, on any node",
     {},
     act_on_queue<&QueueActions::pause_queue>},
    {"POST",
     "/api/v1/queues/{name}/resume",
     kJson,
     "Begin a queue's jobs again",
     {},
     act_on_queue<&QueueActions::resume_queue>},
    {"GET", "/api/v1/nodes", kJson, "Running processes", kPaging, plain_list<&JobReads::nodes>},
};

}  // namespace

std::span<const Route> job_routes() { return kRoutes; }

}  // namespace sluice::api
