#include "service/followers.h"

#include "service/load_job.h"
#include "service/loader_schedule.h"
#include "service/task_job.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::service {
namespace {

using definition::After;
using definition::Runnable;

constexpr int kLookedAt = 20;  // runs of one name; the newest may be of no account

const After& after_of(const Runnable& runnable) {
  return runnable.loader != nullptr ? runnable.loader->after : runnable.task->after;
}

std::string_view job_kind(const Runnable& runnable) {
  return runnable.loader != nullptr ? kLoadKind : kind_of(runnable.task->spec);
}

jobs::Follows follows_of(After::On on) {
  switch (on) {
    case After::On::success:
      return jobs::Follows::succeeded;
    case After::On::failure:
      return jobs::Follows::not_succeeded;
    case After::On::always:
      break;
  }
  return jobs::Follows::finished;
}

std::vector<jobs::JobState> ends_of(After::On on) {
  using enum jobs::JobState;
  switch (on) {
    case After::On::success:
      return {succeeded};
    case After::On::failure:
      return {failed, deleted, skipped};
    case After::On::always:
      break;
  }
  return {succeeded, failed, deleted, skipped};
}

}  // namespace

Result<std::optional<jobs::NewJob>> Followers::run_of(const definition::Catalog& catalog,
                                                      std::string_view name, jobs::JobContext& context) {
  const auto follower = catalog.find_runnable(name);
  if (!follower) return std::nullopt;
  const auto id = recurring_id(follower);
  SLUICE_TRY(const auto recurring, engine_.store().recurring().get(id));
  // Without a service that has taken it up, it would wait for ever behind a load by hand.
  const char* why_not = !recurring || recurring->retired_at ? "no service has taken it up"
                        : recurring->paused_at              ? "it is paused"
                        : !recurring->spec.enabled          ? "it is not enabled"
                                                            : nullptr;
  if (why_not != nullptr) {
    context.log(jobs::LogLevel::info, fmt::format("{} will not follow: {}", name, why_not));
    return std::nullopt;
  }
  jobs::NewJob job;
  job.kind = job_kind(follower);
  job.subject = name;
  job.args = follower.loader != nullptr ? load_args(job.subject, {}) : task_args(job.subject, {});
  job.origin = jobs::Origin::schedule;
  job.started_by = fmt::format("after {} (job {})", context.job().subject, context.job().id.value());
  job.exclusive_key = name;
  job.recurring_id = id;
  job.retry = recurring->spec.retry;
  job.timeout = recurring->spec.timeout;
  job.unique_key = fmt::format("after:{}:{}", context.job().id.value(), name);
  return job;
}

Result<void> Followers::enqueue(jobs::JobContext& context, After::On on) {
  const auto catalog = keeper_.current()->catalog;
  const auto& job = context.job();
  std::vector<jobs::NewJob> wanted;
  for (const auto name : catalog->followers_of(job.subject)) {
    const auto& after = after_of(catalog->find_runnable(name));
    if (after.on != on) continue;
    SLUICE_TRY(auto follower, run_of(*catalog, name, context));
    if (!follower) continue;
    follower->parent = job.id;
    follower->follows = follows_of(after.on);
    if (after.names.size() > 1 && after.wait == After::Wait::all) {
      follower->kind = kAfterKind;
      follower->name = fmt::format("is it time for {}?", name);
      // One looks after the other: the last one sees what all the others have seen.
      follower->exclusive_key = fmt::format("{}:{}", kAfterKind, name);
      follower->timeout = std::chrono::milliseconds(0);
    }
    wanted.push_back(std::move(*follower));
  }
  if (wanted.empty()) return {};
  auto made = engine_.enqueue_all(wanted);
  if (!made) return fail_within("after", std::move(made).error());
  return {};
}

Result<jobs::JobOutcome> Followers::perform(jobs::JobContext& context, std::stop_token /*stop*/,
                                            const Next& next) {
  SLUICE_CHECK(enqueue(context, After::On::always));
  // Whoever dies with it a last time does not come to the lines below.
  if (context.job().crashes > 0) SLUICE_CHECK(enqueue(context, After::On::failure));
  auto outcome = next();
  // Not sooner: what waits for the success of a run that failed would wait for somebody to run it again.
  if (outcome) {
    SLUICE_CHECK(enqueue(context, After::On::success));
  } else if (context.stop_reason() != jobs::StopReason::shutdown) {
    SLUICE_CHECK(enqueue(context, After::On::failure));
  }
  return outcome;
}

Result<std::optional<Timestamp>> Followers::last_end(const definition::Catalog& catalog,
                                                     const std::string& name, After::On on) {
  const auto runnable = catalog.find_runnable(name);
  jobs::JobFilter filter;
  filter.subject = name;
  filter.kind = runnable ? job_kind(runnable) : std::string_view();
  filter.states = ends_of(on);
  filter.limit = kLookedAt;
  SLUICE_TRY(const auto jobs, engine_.store().queries().list(filter));
  std::optional<Timestamp> last;
  for (const auto& job : jobs) {
    if (job.finished_at && (!last || *job.finished_at > *last)) last = job.finished_at;
  }
  return last;
}

Result<std::optional<Timestamp>> Followers::last_begin(const Runnable& follower) {
  using enum jobs::JobState;
  jobs::JobFilter filter;
  filter.subject = follower.loader != nullptr ? follower.loader->spec.name : follower.task->spec.name;
  filter.kind = job_kind(follower);
  // What was deleted or skipped has not run; what is held has.
  filter.states = {scheduled, enqueued, processing, held, succeeded, failed};
  filter.limit = 1;
  SLUICE_TRY(const auto jobs, engine_.store().queries().list(filter));
  if (jobs.empty()) return std::nullopt;
  return jobs.front().created_at;
}

Result<jobs::JobOutcome> Followers::look(jobs::JobContext& context) {
  const auto catalog = keeper_.current()->catalog;
  const auto& name = context.job().subject;
  const auto follower = catalog->find_runnable(name);
  if (!follower) return fail(ErrorCode::not_found, fmt::format("there is no \"{}\" any more", name));
  const auto& after = after_of(follower);
  SLUICE_TRY(const auto begun, last_begin(follower));
  std::vector<std::string> missing;
  for (const auto& one : after.names) {
    SLUICE_TRY(const auto ended, last_end(*catalog, one, after.on));
    if (!ended || (begun && *ended <= *begun)) missing.push_back(one);
  }
  nlohmann::ordered_json result = {{"started", nullptr}, {"waitsFor", missing}};
  if (missing.empty()) {
    SLUICE_TRY(auto job, run_of(*catalog, name, context));
    if (job) {
      job->started_by = fmt::format("after {}", fmt::join(after.names, ", "));
      SLUICE_TRY(const auto id, engine_.enqueue(std::move(*job)));
      result["started"] = std::to_string(id.value());
    }
  } else {
    context.log(jobs::LogLevel::info, fmt::format("{} still waits for {}", name, fmt::join(missing, ", ")));
  }
  return jobs::JobOutcome{.result =
                              result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

}  // namespace sluice::service
