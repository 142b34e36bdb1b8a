// Handing new jobs to idle workers of this process in the moment they are enqueued.
#include "jobs/engine/impl.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace sluice::jobs {
namespace {

// More are not one person's wish, or one event's; they go over the queue, which shares them among nodes.
constexpr std::size_t kMostAtOnce = 8;
// Large arguments are not worth a second look.
constexpr std::size_t kSmall = 64 * 1024;

}  // namespace

Result<std::optional<std::vector<Enqueued>>> Engine::Impl::start_here(std::span<const NewJob> jobs,
                                                                      Timestamp now) {
  const auto starts = [this](const NewJob& job) {
    const auto& served = options_.queues;
    return (served.empty() || std::ranges::find(served, job.queue, &QueueShare::name) != served.end()) &&
           job.args.size() <= kSmall && handlers_.contains(job.kind) && may_start_at_once(job);
  };
  const bool may = options_.own_thread && !options_.only_pinned && !jobs.empty() &&
                   jobs.size() <= kMostAtOnce && std::ranges::all_of(jobs, starts);
  if (!may) return std::nullopt;
  {
    std::lock_guard lock(mutex_);
    if (phase_ != Phase::running) return std::nullopt;
    ++starting_;
  }
  // Counted, not locked: listeners are told meanwhile, and may enqueue themselves.
  const auto over = [this](const void*) {
    std::lock_guard lock(mutex_);
    if (--starting_ == 0) wake_.notify_all();
  };
  const std::unique_ptr<const void, decltype(over)> under_way(this, over);
  const auto count = static_cast<int>(jobs.size());
  const int reserved = pool_.reserve(count);
  if (reserved < count) {
    pool_.take_back(reserved);
    return std::nullopt;
  }
  auto begun = store_.jobs().start(jobs, node_id_, now);
  if (!begun) {
    pool_.take_back(reserved);
    return std::unexpected(std::move(begun).error());
  }
  std::vector<Enqueued> made;
  std::vector<Claimed> claimed;
  for (std::size_t i = 0; i < begun->size(); ++i) {
    Begun& one = (*begun)[i];
    made.push_back({one.id, true});
    tell(JobChanged{one.id, jobs[i].subject, JobState::enqueued});
    if (one.claimed) claimed.push_back(*std::move(one.claimed));
  }
  if (claimed.size() < made.size()) wake();
  pace_.handed_over(clock_.steady());
  hand_over(std::move(claimed), reserved);
  return made;
}

}  // namespace sluice::jobs
