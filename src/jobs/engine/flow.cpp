// The engine's side of changing jobs by hand, and of batches.
#include "jobs/engine/impl.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr int kCancelAtOnce = 500;

}  // namespace

Result<JobState> Engine::change(JobId job, const StateRequest& request) {
  return impl_->change(job, request);
}
Result<BulkChange> Engine::change_all(const JobFilter& filter, const StateRequest& request) {
  return impl_->change_all(filter, request);
}
Result<JobId> Engine::create_batch(const NewBatch& batch) { return impl_->create_batch(batch); }
Result<int> Engine::cancel_batch(JobId batch, std::string_view reason) {
  return impl_->cancel_batch(batch, reason);
}

void Engine::Impl::stop_attempt(JobId job, std::string_view reason) {
  std::shared_ptr<Attempt> attempt;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = running_.find(job); found != running_.end()) attempt = found->second;
  }
  // Not here: another node's, or claimed this instant; both see the request in the store.
  if (attempt) request_stop(attempt, StopReason::cancelled, reason);
}

void Engine::Impl::request_stop(const std::shared_ptr<Attempt>& attempt, StopReason why,
                                std::string_view reason) {
  attempt->request_stop(why, reason);
  // One that waits for a worker has nothing to stop, and its end need not wait for one.
  if (pool_.remove(attempt)) run(attempt);
}

Result<JobState> Engine::Impl::change(JobId job, const StateRequest& request) {
  SLUICE_TRY(const JobState state, store_.flow().change(job, request, clock_.now()));
  if (state == JobState::processing) stop_attempt(job, request.reason);
  wake();
  tell(JobChanged{job, subject_of(job), state});
  return state;
}

Result<BulkChange> Engine::Impl::change_all(const JobFilter& filter, const StateRequest& request) {
  SLUICE_TRY(const BulkChange done, store_.flow().change_all(filter, request, clock_.now()));
  if (done.changed == 0) return done;
  if (request.to == JobState::deleted) {
    SLUICE_TRY(const auto stopped, store_.nodes().cancel_requests(node_id_));
    for (const auto& [job, reason] : stopped) stop_attempt(job, reason);
  }
  wake();
  tell(StoreChanged{});
  return done;
}

Result<JobId> Engine::Impl::create_batch(const NewBatch& given) {
  std::vector<NewJob> filtered;
  SLUICE_TRY(const auto jobs, filters_.enqueuing(given.jobs, filtered));
  for (const NewJob& job : jobs) SLUICE_CHECK(check_new_job(job));
  NewBatch batch{.name = given.name, .started_by = given.started_by, .jobs = {}, .batch = given.batch};
  batch.jobs.assign(jobs.begin(), jobs.end());
  SLUICE_TRY(const JobId id, store_.flow().create_batch(batch, clock_.now()));
  wake();
  tell(JobChanged{id, {}, JobState::awaiting});
  tell(StoreChanged{});  // its jobs, however many
  if (!filters_.empty()) tell_filters_of_members(id, jobs);
  return id;
}

// Members are written in the order given, with rising ids.
void Engine::Impl::tell_filters_of_members(JobId batch, std::span<const NewJob> jobs) {
  JobFilter members{.limit = kCancelAtOnce};
  members.batch = batch;
  std::vector<Enqueued> made;  // newest first
  for (;;) {
    const auto page = store_.queries().list(members);
    if (!page) return;  // they are enqueued; only the news of it is lost
    for (const Job& one : *page) made.push_back({one.id, true, one.state});
    if (std::ssize(*page) < members.limit) break;
    members.before = page->back().id;
  }
  std::ranges::reverse(made);
  if (made.size() == jobs.size()) filters_.enqueued(jobs, made);
}

Result<int> Engine::Impl::cancel_batch(JobId batch, std::string_view reason) {
  SLUICE_TRY(const auto found, store_.flow().batch(batch));
  if (!found) return fail(ErrorCode::not_found, fmt::format("there is no batch {}", batch.value()));
  int cancelled = 0;
  std::vector<JobId> batches = {batch};
  for (std::size_t i = 0; i < batches.size(); ++i) {
    JobFilter pending{.states = {JobState::scheduled, JobState::enqueued, JobState::processing,
                                 JobState::awaiting, JobState::held},
                      .limit = kCancelAtOnce};
    pending.batch = batches[i];
    const StateRequest request{
        .to = JobState::deleted, .run_at = {}, .expected = {}, .reason = std::string(reason)};
    for (;;) {
      SLUICE_TRY(const BulkChange done, change_all(pending, request));
      cancelled += done.changed;
      if (!done.next) break;
      pending.before = done.next;
    }
    // Those inside it end as their own jobs do.
    JobFilter inside{.states = {JobState::awaiting}, .kind = std::string(kBatchKind), .limit = kCancelAtOnce};
    inside.batch = batches[i];
    for (;;) {
      SLUICE_TRY(const auto inner, store_.queries().list(inside));
      for (const Job& one : inner) batches.push_back(one.id);
      if (static_cast<int>(inner.size()) < inside.limit) break;
      inside.before = inner.back().id;
    }
  }
  return cancelled;
}

}  // namespace sluice::jobs
