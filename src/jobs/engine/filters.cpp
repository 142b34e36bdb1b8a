#include "jobs/engine/filters.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace sluice::jobs {
namespace {

// What a filter throws stays here: `what` is its member.
template <class F>
Result<void> guarded(std::string_view what, F&& call) {
  try {
    return call();
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, fmt::format("a filter's {} threw: {}", what, exception.what()));
  } catch (...) {
    return fail(ErrorCode::internal, fmt::format("a filter's {} threw", what));
  }
}
template <class F>
void told(std::string_view what, F&& call) {
  const auto done = guarded(what, [&]() -> Result<void> {
    call();
    return {};
  });
  if (!done) spdlog::error("{}", done.error().describe());
}

// Empty = it may be written.
std::string objection(const Election& election) {
  if (election.to == JobState::enqueued || election.to == JobState::processing ||
      !transition_allowed(JobState::processing, election.to))
    return fmt::format("an attempt cannot end {}", to_string(election.to));
  if (election.to == JobState::failed && !election.error) return "failed needs an error";
  if (election.result.size() > kMaxJobText) return "its result is over the limit";
  if (!election.result.empty() && !nlohmann::json::accept(election.result)) return "its result is not JSON";
  return {};
}

}  // namespace

Result<void> Filter::enqueuing(NewJob&) { return {}; }
void Filter::enqueued(const NewJob&, const Enqueued&) {}
Result<JobOutcome> Filter::perform(JobContext&, std::stop_token, const Next& next) { return next(); }
void Filter::elect(const Job&, Election&) {}
void Filter::applied(const Job&, JobState) {}

Result<JobOutcome> call_handler(const Handler& handler, JobContext& context, std::stop_token stop) {
  try {
    return handler(context, std::move(stop));
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal,
                fmt::format("the handler of kind \"{}\" threw: {}", context.job().kind, exception.what()));
  } catch (...) {
    return fail(ErrorCode::internal, fmt::format("the handler of kind \"{}\" threw", context.job().kind));
  }
}

void Filters::add(std::shared_ptr<Filter> filter, std::string kind) {
  const auto place =
      kind.empty() ? std::ranges::find_if(entries_, [](const Entry& entry) { return !entry.kind.empty(); })
                   : entries_.end();
  entries_.insert(place, {std::move(kind), std::move(filter)});
}

template <class F>
void Filters::each(std::string_view kind, F&& call) const {
  for (const Entry& entry : entries_) {
    if (entry.kind.empty() || entry.kind == kind) call(*entry.filter);
  }
}

Result<std::span<const NewJob>> Filters::enqueuing(std::span<const NewJob> jobs,
                                                   std::vector<NewJob>& changed) const {
  if (empty()) return jobs;
  changed.assign(jobs.begin(), jobs.end());
  for (NewJob& job : changed) {
    for (const Entry& entry : entries_) {
      if (!entry.kind.empty() && entry.kind != job.kind) continue;
      auto passed = guarded("enqueuing()", [&] { return entry.filter->enqueuing(job); });
      if (!passed)
        return fail_within(fmt::format("job {} {}", job.kind, job.subject), std::move(passed).error());
    }
  }
  return changed;
}

void Filters::enqueued(std::span<const NewJob> jobs, std::span<const Enqueued> made) const {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    each(jobs[i].kind,
         [&](Filter& filter) { told("enqueued()", [&] { filter.enqueued(jobs[i], made[i]); }); });
  }
}

Result<JobOutcome> Filters::perform(const Handler& handler, JobContext& context, std::stop_token stop) const {
  Filter::Next next = [&] { return call_handler(handler, context, stop); };
  // From the inside out: the first filter is called first.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (!entry->kind.empty() && entry->kind != context.job().kind) continue;
    next = [&filter = *entry->filter, &context, stop, inner = std::move(next)]() -> Result<JobOutcome> {
      Result<JobOutcome> outcome;
      SLUICE_CHECK(guarded("perform()", [&]() -> Result<void> {
        outcome = filter.perform(context, stop, inner);
        return {};
      }));
      return outcome;
    };
  }
  return next();
}

void Filters::elect(JobContext& context, Completion& completion, Timestamp now) const {
  each(context.job().kind, [&](Filter& filter) {
    Election election{completion.to, completion.run_at, completion.reason, completion.error,
                      completion.result};
    const auto called = guarded("elect()", [&]() -> Result<void> {
      filter.elect(context.job(), election);
      return {};
    });
    const std::string wrong = called ? objection(election) : called.error().message;
    if (!wrong.empty()) {
      context.log(LogLevel::error, "what a filter chose as the end was dropped: " + wrong);
      return;
    }
    if (election.to != completion.to || election.run_at != completion.run_at) completion.wish.reset();
    completion.to = election.to;
    completion.run_at.reset();
    if (election.to == JobState::scheduled) completion.run_at = election.run_at.value_or(now);
    completion.reason = std::move(election.reason);
    completion.error.reset();
    if (election.to == JobState::scheduled || election.to == JobState::failed)
      completion.error = std::move(election.error);
    completion.result = std::move(election.result);
  });
}

void Filters::applied(const Job& job, JobState state) const {
  each(job.kind, [&](Filter& filter) { told("applied()", [&] { filter.applied(job, state); }); });
}

}  // namespace sluice::jobs
