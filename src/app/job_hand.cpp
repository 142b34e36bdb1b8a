#include "app/job_hand.h"

#include "app/job_target.h"
#include "app/loaders.h"
#include "base/text.h"
#include "service/job_store.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kRetriedAtOnce = 500;
constexpr std::string_view kBy = "the command line";

std::string store_name(const GlobalOptions& globals) {
  return service::describe_job_store(globals.database, globals.data);
}

std::string reason_of(const JobsOptions& options, std::string_view otherwise) {
  return options.reason.empty() ? fmt::format("{} on {}", otherwise, kBy) : options.reason;
}

void tell(Json done, const std::string& words, const GlobalOptions& globals) {
  if (globals.json) {
    out("{}\n", done.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!globals.quiet) {
    out("{}\n", words);
  }
}

}  // namespace

Result<jobs::JobState> state_of(std::string_view option, const std::string& name) {
  if (const auto state = jobs::parse_job_state(name)) return *state;
  std::vector<std::string_view> names;
  names.reserve(jobs::kJobStates.size());
  for (const auto known : jobs::kJobStates) names.push_back(jobs::to_string(known));
  return fail(ErrorCode::invalid_argument, fmt::format("{}: there is no state \"{}\"; use {}", option,
                                                       printable(name, 60), fmt::join(names, ", ")));
}

Result<std::vector<jobs::JobState>> states_of(const JobsOptions& options) {
  std::vector<jobs::JobState> states;
  for (const auto& given : options.states) {
    for (const std::string_view name : split(given, ',')) {
      SLUICE_TRY(const auto state, state_of("--state", std::string(name)));
      states.push_back(state);
    }
  }
  return states;
}

Result<void> JobHand::bury() {
  SLUICE_TRY(const auto rescued, store_.nodes().rescue_dead(clock_.now()));
  static_cast<void>(rescued);
  return {};
}

Result<void> JobHand::cancel(const std::string& word) {
  SLUICE_TRY(const auto id, number(word));
  SLUICE_TRY(const auto job, find_job(&store_, id, globals_));
  if (job.kind == jobs::kBatchKind) return cancel_batch(job);
  SLUICE_TRY(const auto outcome, cancelled(id));
  if (outcome == jobs::Cancelled::too_late) {
    return fail(ErrorCode::conflict,
                fmt::format("job {} has ended already: {}", word, jobs::to_string(job.state)));
  }
  const bool asked = outcome == jobs::Cancelled::requested;
  const auto told = std::to_string(id.value());
  tell({{"job", told}, {"done", asked ? "asked" : "deleted"}},
       asked ? fmt::format("job {}: asked to stop", told) : fmt::format("job {}: deleted", told), globals_);
  return {};
}

Result<void> JobHand::cancel_batch(const jobs::Job& batch) {
  const auto told = std::to_string(batch.id.value());
  const std::string state(jobs::to_string(batch.state));
  if (jobs::is_at_rest(batch.state))
    return fail(ErrorCode::conflict, fmt::format("batch {} has ended already: {}", told, state));
  if (!options_.expected.empty() && options_.expected != state)
    return fail(ErrorCode::conflict, fmt::format("batch {} is {}, not {}", told, state, options_.expected));
  SLUICE_TRY(const int jobs, engine_.cancel_batch(batch.id, reason_of(options_, "cancelled")));
  tell({{"job", told}, {"done", "deleted"}, {"cancelled", jobs}},
       fmt::format("batch {}: {} jobs cancelled", told, jobs), globals_);
  return {};
}

Result<void> JobHand::retry(const std::string& word) {
  SLUICE_TRY(const auto id, number(word));
  SLUICE_TRY(const auto job, find_job(&store_, id, globals_));
  SLUICE_CHECK(engine_.change(job.id, again()));
  const auto told = std::to_string(id.value());
  tell({{"job", told}, {"done", "enqueued"}}, fmt::format("job {}: enqueued", told), globals_);
  return warn_of_nobody();
}

Result<void> JobHand::retry_all() {
  jobs::JobFilter filter;
  SLUICE_TRY(filter.states, states_of(options_));
  if (filter.states.empty()) filter.states = {jobs::JobState::failed};
  filter.subject = options_.loader;
  filter.limit = kRetriedAtOnce;
  int changed = 0, refused = 0;
  for (;;) {
    SLUICE_TRY(const auto done, engine_.change_all(filter, again()));
    changed += done.changed;
    refused += done.refused;
    if (!done.next) break;
    filter.before = done.next;
  }
  tell({{"enqueued", changed}, {"refused", refused}},
       refused == 0 ? fmt::format("{} jobs enqueued", changed)
                    : fmt::format("{} jobs enqueued; {} cannot be run again", changed, refused),
       globals_);
  return changed > 0 ? warn_of_nobody() : Result<void>();
}

Result<void> JobHand::enqueue(const std::string& loader) {
  SLUICE_TRY(const auto recurring, of_loader(loader));
  // Its schedule outlives a definition that went while no service ran.
  if (const auto definitions = read_definitions(globals_);
      definitions && !(*definitions)->catalog->find_runnable(loader))
    return std::unexpected(why_not(**definitions, loader).error);
  SLUICE_TRY(const auto id, engine_.run_now(recurring, jobs::Origin::cli, std::string(kBy)));
  const auto job = std::to_string(id.value());
  tell({{"loader", loader}, {"job", job}, {"done", "enqueued"}}, fmt::format("{}: job {}", loader, job),
       globals_);
  return warn_of_nobody();
}

Result<void> JobHand::pause(const std::string& loader) {
  SLUICE_TRY(const auto recurring, of_loader(loader));
  SLUICE_CHECK(engine_.pause_recurring(recurring, kBy, reason_of(options_, "paused")));
  tell({{"loader", loader}, {"done", "paused"}}, fmt::format("{}: paused", loader), globals_);
  return {};
}

Result<void> JobHand::resume(const std::string& loader) {
  SLUICE_TRY(const auto recurring, of_loader(loader));
  SLUICE_CHECK(engine_.resume_recurring(recurring));
  tell({{"loader", loader}, {"done", "resumed"}}, fmt::format("{}: resumed", loader), globals_);
  return {};
}

jobs::StateRequest JobHand::again() const {
  return {.to = jobs::JobState::enqueued,
          .run_at = {},
          .expected = jobs::parse_job_state(options_.expected),
          .reason = reason_of(options_, "run again")};
}

Result<jobs::Cancelled> JobHand::cancelled(JobId id) {
  const auto reason = reason_of(options_, "cancelled");
  if (options_.expected.empty()) return engine_.cancel(id, reason);
  SLUICE_TRY(const auto state, engine_.change(id, {.to = jobs::JobState::deleted,
                                                   .run_at = {},
                                                   .expected = jobs::parse_job_state(options_.expected),
                                                   .reason = reason}));
  return state == jobs::JobState::deleted ? jobs::Cancelled::deleted : jobs::Cancelled::requested;
}

Result<JobId> JobHand::number(const std::string& word) {
  const auto id = job_number(word);
  if (id) return *id;
  return fail(ErrorCode::invalid_argument,
              fmt::format("\"{}\" is not a job's number; sluice jobs list tells them", printable(word, 60)));
}

Result<std::string> JobHand::of_loader(const std::string& loader) {
  for (auto& id : {service::recurring_id(loader), service::task_recurring_id(loader)}) {
    SLUICE_TRY(const auto found, store_.recurring().get(id));
    if (found && !found->retired_at) return id;
  }
  const auto definitions = read_definitions(globals_);
  if (definitions && !(*definitions)->catalog->find_runnable(loader))
    return std::unexpected(why_not(**definitions, loader).error);
  return fail(ErrorCode::not_found,
              fmt::format("no service has taken up \"{}\" in {} yet: start sluice serve, or run it here "
                          "with sluice run",
                          printable(loader, 60), store_name(globals_)));
}

Result<void> JobHand::warn_of_nobody() {
  SLUICE_TRY(const auto nodes, store_.nodes().nodes());
  // The process of a `sluice run` works at nothing but its own jobs, and says so by its kinds.
  const bool served = std::any_of(nodes.begin(), nodes.end(), [](const auto& node) {
    return node.workers > 0 && !node.expired && (!node.kinds || !node.kinds->empty());
  });
  if (!served && !globals_.quiet && !std::exchange(warned_, true))
    err("sluice: note: no service runs on {}: what is enqueued waits for sluice serve\n",
        store_name(globals_));
  return {};
}

}  // namespace sluice::app
