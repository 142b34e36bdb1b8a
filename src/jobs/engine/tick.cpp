// The dispatching side of the engine: what happens in one round.
#include "jobs/engine/impl.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::seconds kLookAfterNodes{1};
constexpr std::chrono::minutes kTrimEvery{10};
constexpr int kTrimBatch = 500;
constexpr int kFireBatch = 100;
constexpr int kMostFireRounds = 500;  // a tick ends even if time jumps; the next one goes on
constexpr milliseconds kPauseAfterError{1'000};
constexpr milliseconds kPauseWhenHeld{100};

}  // namespace

void Engine::Impl::loop(std::stop_token stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    milliseconds delay = kPauseAfterError;
    if (const auto next = tick(); next) {
      delay = *next;
      last_error.clear();
    } else if (std::string text = next.error().describe(); text != last_error) {
      // The store may be full, locked or gone for a while: we say so once and try again, for ever.
      spdlog::error("the job engine cannot reach its store and tries again: {}", text);
      last_error = std::move(text);
    }
    std::unique_lock lock(mutex_);
    if (!last_error.empty()) dirty_ = hungry_ = false;  // nothing but time helps
    wake_.wait_for(lock, stop, delay, [this] { return dirty_ || hungry_; });
    if (!last_error.empty()) dirty_ = true;
  }
}

Result<milliseconds> Engine::Impl::tick() {
  std::lock_guard one(tick_mutex_);
  if (phase_ != Phase::running) return fail(ErrorCode::internal, "the job engine is not running");
  // Before the store is asked anything: time runs out whether or not it can be reached.
  static_cast<void>(stop_overdue());
  const Timestamp now = clock_.now();
  SLUICE_CHECK(look_at_clock(now));
  SLUICE_CHECK(stop_lost(now));
  SLUICE_CHECK(look_elsewhere());
  SLUICE_CHECK(look_after_nodes(now));

  bool dirty = false;
  {
    std::lock_guard lock(mutex_);
    dirty = std::exchange(dirty_, false);
    hungry_ = false;
  }
  const auto due = [&](const std::optional<Timestamp>& time) { return time && *time <= now; };
  const auto work = [&]() -> Result<void> {
    if (options_.fire_recurring && (dirty || due(next_fire_))) SLUICE_CHECK(fire(now));
    if (dirty || claim_again_ || due(next_due_)) SLUICE_CHECK(claim(now));
    return {};
  };
  if (auto done = work(); !done) {
    std::lock_guard lock(mutex_);
    dirty_ = true;  // not done yet
    return std::unexpected(std::move(done).error());
  }
  if (!next_trim_ || due(next_trim_)) SLUICE_CHECK(trim(now));
  return std::min(until_next(now), stop_overdue());
}

milliseconds Engine::Impl::until_next(Timestamp now) const {
  if (claim_again_ && pool_.waiting() <= low_water_ && pool_.room(pace_.ahead(clock_.steady())) > 0)
    return milliseconds(0);
  milliseconds delay = options_.poll;
  for (const auto& time : {next_fire_, next_due_}) {
    // Rounded up: woken a moment early, we would find nothing due.
    if (time)
      delay = std::min(delay, std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*time - now)));
  }
  return delay;
}

Result<void> Engine::Impl::look_at_clock(Timestamp now) {
  // At the first tick too: the clock may have been put right while nobody ran.
  const bool look = !last_tick_ || now < *last_tick_;
  if (look && options_.fire_recurring) {
    SLUICE_TRY(const auto mended, store_.upkeep().clock_set_back(first_fire(), now));
    if (!mended.recurring.empty() || !mended.jobs.empty()) {
      spdlog::warn("the clock was set back: {} schedules and {} retries were counted anew from now",
                   mended.recurring.size(), mended.jobs.size());
    }
    for (const std::string& id : mended.recurring) tell(RecurringChanged{id});
    for (const JobId job : mended.jobs) tell(JobChanged{job, subject_of(job), JobState::scheduled});
  }
  if (look) {
    next_trim_.reset();
    wake();  // every time that is remembered is to be read again
  }
  last_tick_ = now;
  return {};
}

Result<void> Engine::Impl::look_elsewhere() {
  SLUICE_TRY(const bool changed, store_.nodes().changed_elsewhere());
  if (!changed) return {};
  look_for_cancels_ = true;
  wake();
  tell(StoreChanged{});
  return {};
}

Result<void> Engine::Impl::look_after_nodes(Timestamp now) {
  const bool time_jumped_back = nodes_looked_at_ && now < *nodes_looked_at_;
  const bool time_for_it =
      !nodes_looked_at_ || time_jumped_back || now - *nodes_looked_at_ >= kLookAfterNodes;
  if (time_for_it) {
    SLUICE_TRY(const auto rescued, store_.nodes().rescue_dead(now));
    nodes_looked_at_ = now;
    for (const Rescued& job : rescued) {
      spdlog::warn("job {} ({}) was lost by node {} and is {}", job.job.value(), job.subject, job.from_node,
                   job.state == JobState::failed ? "failed: its process died too often" : "taken back");
      tell(JobChanged{job.job, job.subject, job.state});
    }
    if (!rescued.empty()) {
      wake();
      tell(NodesChanged{});
    }
    // What the ends of jobs with very many children left to do.
    SLUICE_TRY(const int settled, store_.flow().settle(kSettleAtOnce, now));
    if (settled > 0) wake();
    if (settled == kSettleAtOnce) nodes_looked_at_.reset();  // there is more
    SLUICE_TRY(const int released, store_.jobs().release_waiting(now));
    if (released > 0) wake();
    for (const auto& attempt : running()) {
      if (auto flushed = attempt->flush(); !flushed) {  // tried again in a second
        spdlog::warn("the log of job {} waits to be kept: {}", attempt->job().id.value(),
                     flushed.error().describe());
        break;
      }
    }
    give_back_surplus();
  }
  if (time_for_it || look_for_cancels_) SLUICE_CHECK(stop_cancelled());
  return {};
}

void Engine::Impl::give_back_surplus() {
  // Claimed for workers that were quick, and are not now: another node may have time for them.
  const int surplus = pace_.surplus(pool_.waiting(), clock_.steady());
  if (surplus == 0) return;
  const auto waiting = pool_.take_waiting(static_cast<std::size_t>(surplus));
  spdlog::info("{} jobs that waited for a worker of this node go back to their queue", waiting.size());
  // By way of the completer, which tries until the store takes them: this node lives on, and nobody else
  // would ever give them back.
  for (const auto& attempt : waiting) {
    Completion completion = attempt->give_back("its node is busy with others");
    completer_.add({attempt, std::move(completion), true});
  }
}

milliseconds Engine::Impl::stop_overdue() {
  const auto now = clock_.steady();
  auto next = milliseconds::max();
  for (const auto& attempt : running()) {
    const auto deadline = attempt->deadline();
    if (attempt->stop_reason() != StopReason::none) continue;
    if (!deadline) {
      // Not begun yet: it may begin in this moment.
      if (attempt->job().timeout.count() > 0) next = std::min(next, attempt->job().timeout);
      continue;
    }
    if (now < *deadline) {
      next = std::min(next, std::chrono::ceil<milliseconds>(*deadline - now));
      continue;
    }
    const Job& job = attempt->job();
    spdlog::warn("job {} ({}) is asked to stop: its time-out of {} ms is over", job.id.value(), job.name,
                 job.timeout.count());
    attempt->request_stop(StopReason::timeout, "its time-out is over");
  }
  return next;
}

Result<void> Engine::Impl::stop_lost(Timestamp now) {
  const bool time_for_it =
      !leases_looked_at_ || now < *leases_looked_at_ || now - *leases_looked_at_ >= kLookAfterNodes;
  if (!time_for_it) return {};
  // Before the question, as what is claimed after it is not in the answer.
  const auto attempts = running();
  if (!attempts.empty()) {
    SLUICE_TRY(const auto leases, store_.nodes().leases(node_id_));
    std::unordered_map<JobId, std::int64_t> held;
    for (const Lease& lease : leases) held.emplace(lease.job, lease.token);
    for (const auto& attempt : attempts) {
      const auto found = held.find(attempt->lease().job);
      if (found != held.end() && found->second == attempt->lease().token) continue;
      // Written a moment ago, or lost: to be told apart by nobody, but a stop is nothing to what has ended.
      request_stop(attempt, StopReason::shutdown, "taken from this node");
    }
  }
  leases_looked_at_ = now;
  return {};
}

Result<void> Engine::Impl::stop_cancelled() {
  look_for_cancels_ = false;
  if (running().empty()) return {};
  SLUICE_TRY(const auto requests, store_.nodes().cancel_requests(node_id_));
  for (const auto& [job, reason] : requests) {
    std::shared_ptr<Attempt> attempt;
    {
      std::lock_guard lock(mutex_);
      if (const auto found = running_.find(job); found != running_.end()) attempt = found->second;
    }
    if (attempt) request_stop(attempt, StopReason::cancelled, reason);
  }
  return {};
}

Result<void> Engine::Impl::fire(Timestamp now) {
  const FirePlanner plan = [this, now](const Recurring& recurring) { return planner_.due(recurring, now); };
  SLUICE_TRY(next_fire_, store_.recurring().next_fire());
  for (int round = 0; round < kMostFireRounds && next_fire_ && *next_fire_ <= now; ++round) {
    const auto before = next_fire_;
    SLUICE_TRY(const auto fired, store_.recurring().fire_due(plan, kFireBatch, now));
    SLUICE_TRY(next_fire_, store_.recurring().next_fire());
    if (fired.empty() && next_fire_ == before) {
      next_fire_ = now + kPauseWhenHeld;  // somebody's open transaction holds the key
      break;
    }
    for (const Fired& tick : fired) {
      tell(JobChanged{tick.job, tick.subject, tick.state});
      tell(RecurringChanged{tick.recurring_id});
    }
    if (fired.empty()) continue;
    claim_again_ = true;
    look_for_cancels_ = true;  // overlap: cancelOld
    // The first of many begin while the others are fired.
    if (next_fire_ && *next_fire_ <= now) SLUICE_CHECK(claim(now));
  }
  return {};
}

Result<void> Engine::Impl::claim(Timestamp now) {
  const int ahead = pace_.ahead(clock_.steady());
  ClaimRequest request{.node = node_id_,
                       .limit = options_.work ? pool_.room(ahead) : 0,
                       .kinds = {},
                       .only_pinned = options_.only_pinned,
                       .queues = options_.queues,
                       .most_limited = pool_.room_for_keys()};
  for (const auto& [kind, handler] : handlers_) request.kinds.push_back(kind);
  // Until the store says otherwise.
  claim_again_ = !request.kinds.empty();
  low_water_ = ahead / 2;
  const bool asks = request.limit > 0 && !request.kinds.empty();
  if (asks) {
    SLUICE_TRY(auto claimed, store_.jobs().claim(request, now));
    const bool full = static_cast<int>(claimed.size()) == request.limit;
    pace_.claimed(full, clock_.steady());
    claim_again_ = full;
    hand_over(std::move(claimed));
  }
  SLUICE_TRY(next_due_, store_.jobs().next_due());
  // What is due already waits for a worker, whose end wakes us, or for a node with its handler.
  if (!asks && next_due_ && *next_due_ <= now) next_due_.reset();
  return {};
}

void Engine::Impl::hand_over(std::vector<Claimed> claimed, int reserved) {
  if (claimed.empty()) return pool_.take_back(reserved);
  std::vector<std::shared_ptr<Attempt>> attempts;
  attempts.reserve(claimed.size());
  for (Claimed& one : claimed)
    attempts.push_back(std::make_shared<Attempt>(std::move(one), store_, clock_, listeners_));
  {
    std::lock_guard lock(mutex_);
    // A job that was taken from this node comes back to it, perhaps, while its old attempt is still at work.
    for (const auto& attempt : attempts) {
      auto& place = running_[attempt->job().id];
      if (place) place->request_stop(StopReason::shutdown, "taken from this node");
      place = attempt;
    }
  }
  for (const auto& attempt : attempts)
    tell(JobChanged{attempt->job().id, attempt->job().subject, JobState::processing});
  // The pool is closed only by stop(), which takes the lock of the tick first, and waits for what is being
  // started.
  const bool timed =
      std::ranges::any_of(attempts, [](const auto& attempt) { return attempt->job().timeout.count() > 0; });
  pool_.submit(std::move(attempts), reserved);
  if (timed && reserved > 0) {
    // Handed over beside the loop, which may sleep for longer than the job may take.
    {
      std::lock_guard lock(mutex_);
      hungry_ = true;
    }
    wake_.notify_all();
  }
  look_for_cancels_ = true;  // asked for between the claim and now
}

Result<void> Engine::Impl::trim(Timestamp now) {
  SLUICE_TRY(const int removed, store_.upkeep().trim(options_.retention, kTrimBatch, now));
  // A long tail goes batch by batch, so that nobody waits for the writer.
  next_trim_ = removed == kTrimBatch ? now : now + kTrimEvery;
  return {};
}

}  // namespace sluice::jobs
