#include "jobs/engine.h"

#include "jobs/engine/impl.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace sluice::jobs {
namespace {

constexpr std::chrono::milliseconds kLongestDelay = std::chrono::hours(24) * 365 * 100;
// What is looked up by: longer ones do not fit the index of every store.
constexpr std::size_t kLongestName = 1024;

// "for ever" is spelled 0 or left out; sums with a time of today must not overflow.
Result<void> check_duration(std::string_view name, std::chrono::milliseconds duration) {
  if (duration.count() >= 0 && duration <= kLongestDelay) return {};
  return fail(ErrorCode::invalid_argument, fmt::format("{} is at least 0 and at most 100 years", name));
}

Result<void> check_durations(const RetryPolicy& policy) {
  SLUICE_CHECK(check_duration("retry.delay", policy.delay));
  SLUICE_CHECK(check_duration("retry.max_delay", policy.max_delay));
  if (policy.until) SLUICE_CHECK(check_duration("retry.until", *policy.until));
  for (const auto delay : policy.delays) SLUICE_CHECK(check_duration("retry.delays", delay));
  return {};
}

Result<void> check_names(const NewJob& job) {
  for (const auto& [what, text] :
       {std::pair("kind", &job.kind), std::pair("subject", &job.subject), std::pair("name", &job.name),
        std::pair("unique key", &job.unique_key), std::pair("exclusive key", &job.exclusive_key),
        std::pair("limit key", &job.limit_key)}) {
    if (text->size() > kLongestName)
      return fail(ErrorCode::invalid_argument, fmt::format("the {} is {} bytes long; at most {} are kept",
                                                           what, text->size(), kLongestName));
  }
  return {};
}

}  // namespace

Result<void> check_new_job(const NewJob& job) {
  const auto refuse = [&](std::string message, ErrorCode code = ErrorCode::invalid_argument) {
    return fail(code, std::move(message), fmt::format("job {} {}", job.kind, job.subject));
  };
  if (job.kind.empty()) return refuse("a job needs a kind");
  if (job.kind == kBatchKind)
    return refuse("the kind \"batch\" stands for batches: create one, or take another kind");
  if (auto good = check_queue_name(job.queue); !good) return refuse(good.error().message);
  if (auto good = check_limit(job.limit_key, job.limit); !good) return refuse(good.error().message);
  if (auto good = check_names(job); !good) return refuse(good.error().message);
  if (auto good = check_duration("the time-out", job.timeout); !good) return refuse(good.error().message);
  if (auto good = check_duration("the latency limit", job.latency_limit); !good)
    return refuse(good.error().message);
  if (job.args.size() > kMaxJobText) {
    return refuse(
        fmt::format("the arguments are {} bytes long; at most {} are kept: put the data in a file or table "
                    "and pass its name",
                    job.args.size(), kMaxJobText),
        ErrorCode::too_large);
  }
  const auto args = nlohmann::json::parse(job.args, nullptr, false);
  if (!args.is_object()) return refuse("the arguments must be a JSON object");
  if (job.unique_for.count() < 0 || job.unique_for > kLongestDelay)
    return refuse("unique_for is at least 0 and at most 100 years");
  if (job.unique_key.empty() && job.unique_for.count() > 0) return refuse("unique_for needs a unique key");
  if (job.unless_live && job.exclusive_key.empty()) return refuse("unless_live needs an exclusive key");
  if (auto good = check_retry_policy(job.retry); !good) return refuse(good.error().message);
  if (auto good = check_durations(job.retry); !good) return refuse(good.error().message);
  if (job.delay && job.run_at) return refuse("give a delay or a time to run at, not both");
  if (job.delay && (job.delay->count() < 0 || *job.delay > kLongestDelay))
    return refuse("a delay is at least 0 and at most 100 years");
  return {};
}

namespace {

// What it fires is checked as any other job is.
Result<void> check_spec(const RecurringSpec& spec) {
  NewJob fires;
  fires.kind = spec.kind;
  fires.subject = spec.subject;
  fires.name = spec.name;
  fires.args = spec.args;
  fires.queue = spec.queue;
  fires.exclusive_key = spec.exclusive_key;
  fires.timeout = spec.timeout;
  fires.retry = spec.retry;
  if (auto good = check_new_job(fires); !good)
    return fail(good.error().code, good.error().message);  // the caller says where
  SLUICE_CHECK(check_duration("the catch-up window", spec.catch_up_window));
  if (spec.pause_after_failures < 0)
    return fail(ErrorCode::invalid_argument, "pause_after_failures must not be negative");
  return {};
}

}  // namespace

Engine::Engine(Store& store, Clock& clock, EngineOptions options)
    : impl_(std::make_shared<Impl>(store, clock, std::move(options))) {}
Engine::~Engine() { stop(); }

void Engine::register_handler(std::string kind, Handler handler) {
  impl_->handlers_.insert_or_assign(std::move(kind), std::move(handler));
}

void Engine::add_filter(std::shared_ptr<Filter> filter, std::string kind) {
  impl_->filters_.add(std::move(filter), std::move(kind));
}
void Engine::add_service(std::string name, BackgroundService service, RestartPause pause) {
  impl_->services_.add(std::move(name), std::move(service), pause);
}
std::vector<ServiceStatus> Engine::services() const { return impl_->services_.status(); }

Result<void> Engine::start() { return impl_->start(); }
void Engine::stop(std::optional<std::chrono::milliseconds> timeout) {
  impl_->stop(timeout.value_or(impl_->options_.shutdown_timeout));
}
const std::string& Engine::node_id() const { return impl_->node_id_; }
Store& Engine::store() { return impl_->store_; }
Result<std::chrono::milliseconds> Engine::tick() { return impl_->tick(); }

Result<JobId> Engine::enqueue(NewJob job) {
  SLUICE_TRY(const auto made, impl_->enqueue(std::span(&job, 1)));
  return made.front().id;
}

Result<std::vector<Enqueued>> Engine::enqueue_all(std::span<const NewJob> jobs) {
  return impl_->enqueue(jobs);
}

Result<std::vector<Enqueued>> Engine::enqueue_in(sql::Connection& transaction, std::span<const NewJob> jobs) {
  return impl_->enqueue_in(transaction, jobs);
}

Result<JobId> Engine::enqueue_in(sql::Connection& transaction, NewJob job) {
  SLUICE_TRY(const auto made, impl_->enqueue_in(transaction, std::span(&job, 1)));
  return made.front().id;
}

void Engine::wake() { impl_->wake(); }

Result<JobId> Engine::run_here(NewJob job) {
  job.pinned_node = impl_->node_id_;
  return enqueue(std::move(job));
}

Result<JobId> Engine::run_now(std::string_view recurring_id, Origin origin, std::string started_by) {
  SLUICE_TRY(const auto found, impl_->store_.recurring().get(recurring_id));
  if (!found || found->retired_at) {
    return fail(ErrorCode::not_found, fmt::format("there is no recurring job \"{}\"", recurring_id));
  }
  const RecurringSpec& spec = found->spec;
  NewJob job;
  job.kind = spec.kind;
  job.subject = spec.subject;
  job.name = spec.name;
  job.args = spec.args;
  job.queue = spec.queue;
  job.retry = spec.retry;
  job.timeout = spec.timeout;
  job.recurring_id = spec.id;
  if (spec.overlap != Overlap::allow) job.exclusive_key = exclusive_key_of(spec);
  job.origin = origin;
  job.started_by = std::move(started_by);
  return enqueue(std::move(job));
}

Result<Cancelled> Engine::cancel(JobId job, std::string_view reason) { return impl_->cancel(job, reason); }

Result<void> Engine::requeue(JobId job, std::string_view reason) {
  SLUICE_CHECK(impl_->store_.jobs().requeue(job, reason, impl_->clock_.now()));
  impl_->wake();
  impl_->tell(JobChanged{job, impl_->subject_of(job), JobState::enqueued});
  return {};
}

Result<Job> Engine::wait(JobId job, std::stop_token stop) { return impl_->wait(job, std::move(stop)); }

Result<void> Engine::upsert_recurring(std::span<const RecurringSpec> specs) {
  for (const RecurringSpec& spec : specs) {
    SLUICE_CHECK(impl_->planner_.check(spec));
    if (auto good = check_spec(spec); !good)
      return fail_within("recurring job " + spec.id, std::move(good).error());
    const auto args = nlohmann::json::parse(spec.args, nullptr, false);
    if (!args.is_object()) {
      return fail(ErrorCode::invalid_argument, "the arguments must be a JSON object",
                  "recurring job " + spec.id);
    }
  }
  SLUICE_TRY(const auto changed,
             impl_->store_.recurring().upsert(specs, impl_->first_fire(), impl_->clock_.now()));
  if (!changed.empty()) impl_->wake();
  for (const std::string& id : changed) impl_->tell(RecurringChanged{id});
  return {};
}

Result<void> Engine::retire_recurring(std::string_view id, std::string_view reason) {
  SLUICE_TRY(const auto jobs, impl_->store_.recurring().retire(id, reason, impl_->clock_.now()));
  impl_->wake();
  impl_->tell(RecurringChanged{std::string(id)});
  for (const JobId job : jobs) impl_->tell(JobChanged{job, impl_->subject_of(job), JobState::deleted});
  return {};
}

Result<void> Engine::pause_recurring(std::string_view id, std::string_view by, std::string_view reason) {
  SLUICE_CHECK(impl_->store_.recurring().pause(id, by, reason, impl_->clock_.now()));
  impl_->wake();
  impl_->tell(RecurringChanged{std::string(id)});
  return {};
}

Result<void> Engine::resume_recurring(std::string_view id) {
  SLUICE_CHECK(impl_->store_.recurring().resume(id, impl_->first_fire(), impl_->clock_.now()));
  impl_->wake();
  impl_->tell(RecurringChanged{std::string(id)});
  return {};
}

Result<std::vector<Recurring>> Engine::list_recurring(bool with_retired) {
  return impl_->store_.recurring().list(with_retired);
}

Result<void> Engine::pause_queue(std::string_view queue, std::string_view by, std::string_view reason) {
  SLUICE_CHECK(impl_->store_.queues().pause(queue, by, reason, impl_->clock_.now()));
  impl_->tell(StoreChanged{});
  return {};
}

Result<void> Engine::resume_queue(std::string_view queue) {
  SLUICE_CHECK(impl_->store_.queues().resume(queue, impl_->clock_.now()));
  impl_->wake();
  impl_->tell(StoreChanged{});
  return {};
}

Result<void> Engine::limit_queue(std::string_view queue, std::optional<int> most) {
  SLUICE_CHECK(impl_->store_.queues().set_max_running(queue, most, impl_->clock_.now()));
  impl_->wake();
  impl_->tell(StoreChanged{});
  return {};
}

Subscription Engine::subscribe(Listener listener) {
  return Listeners::add(impl_->listeners_, std::move(listener));
}

// Inside: the calls that change jobs.

Result<std::span<const NewJob>> Engine::Impl::ready_to_store(std::span<const NewJob> given,
                                                             std::vector<NewJob>& changed) const {
  SLUICE_TRY(const auto passed, filters_.enqueuing(given, changed));
  for (const NewJob& job : passed) SLUICE_CHECK(check_new_job(job));
  return passed;
}

Result<std::vector<Enqueued>> Engine::Impl::enqueue_in(sql::Connection& transaction,
                                                       std::span<const NewJob> given) {
  const Timestamp now = clock_.now();
  std::vector<NewJob> changed;
  SLUICE_TRY(const auto jobs, ready_to_store(given, changed));
  return store_.jobs().enqueue_in(transaction, jobs, now);
}

Result<std::vector<Enqueued>> Engine::Impl::enqueue(std::span<const NewJob> given) {
  const Timestamp now = clock_.now();
  std::vector<NewJob> changed;
  SLUICE_TRY(const auto jobs, ready_to_store(given, changed));
  SLUICE_TRY(auto begun, start_here(jobs, now));
  if (begun) {
    filters_.enqueued(jobs, *begun);
    return *std::move(begun);
  }
  SLUICE_TRY(auto made, store_.jobs().enqueue(jobs, now));
  wake();
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (made[i].created) tell(JobChanged{made[i].id, jobs[i].subject, made[i].state});
  }
  filters_.enqueued(jobs, made);
  return made;
}

Result<Cancelled> Engine::Impl::cancel(JobId job, std::string_view reason) {
  SLUICE_TRY(const auto outcome, store_.jobs().cancel(job, reason, clock_.now()));
  if (outcome == Cancelled::too_late) return outcome;
  if (outcome == Cancelled::requested) stop_attempt(job, reason);
  wake();
  tell(JobChanged{job, subject_of(job),
                  outcome == Cancelled::deleted ? JobState::deleted : JobState::processing});
  return outcome;
}

std::string Engine::Impl::subject_of(JobId job) {
  // What was asked for is done: a store that cannot be read now only makes the news of it shorter.
  const auto found = store_.queries().get(job);
  return found && *found ? (*found)->subject : std::string();
}

Result<Job> Engine::Impl::wait(JobId job, std::stop_token stop) {
  for (;;) {
    std::uint64_t seen = 0;
    {
      std::lock_guard lock(mutex_);
      seen = generation_;
    }
    SLUICE_TRY(auto found, store_.queries().get(job));
    if (!found) return fail(ErrorCode::not_found, fmt::format("there is no job {}", job.value()));
    if (is_at_rest(found->state)) return *std::move(found);
    if (stop.stop_requested())
      return fail(ErrorCode::cancelled, fmt::format("stopped waiting for job {}", job.value()));
    // Another process may finish it, so we look now and then even if nothing is heard.
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, options_.poll, [&] { return generation_ != seen; });
  }
}

void Engine::Impl::wake() {
  {
    std::lock_guard lock(mutex_);
    dirty_ = true;
    ++generation_;
  }
  wake_.notify_all();
}

FirePlanner Engine::Impl::first_fire() {
  return [this, now = clock_.now()](const Recurring& recurring) { return planner_.first(recurring, now); };
}

}  // namespace sluice::jobs
