// The inside of Engine: the dispatching thread, the workers, who runs what.
#pragma once

#include "jobs/engine.h"
#include "jobs/engine/attempt.h"
#include "jobs/engine/completer.h"
#include "jobs/engine/filters.h"
#include "jobs/engine/listeners.h"
#include "jobs/engine/pace.h"
#include "jobs/engine/planner.h"
#include "jobs/engine/services.h"
#include "jobs/engine/worker_pool.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sluice::jobs {

// Whether a new job can be right, whatever else is in the store.
Result<void> check_new_job(const NewJob& job);

class Engine::Impl {
 public:
  Impl(Store& store, Clock& clock, EngineOptions options);

  Result<void> start();
  void stop(std::chrono::milliseconds timeout);
  Result<std::chrono::milliseconds> tick();

  Result<std::vector<Enqueued>> enqueue(std::span<const NewJob> jobs);
  // Enqueues jobs and hands them to idle workers of this process, without the way over the store's queue;
  // nothing where that is not possible for all of them.
  Result<std::optional<std::vector<Enqueued>>> start_here(std::span<const NewJob> jobs, Timestamp now);
  Result<std::vector<Enqueued>> enqueue_in(sql::Connection& transaction, std::span<const NewJob> jobs);
  // As they are to be stored: filtered, checked, without delays. `changed` holds them where that is no longer
  // as given.
  Result<std::span<const NewJob>> ready_to_store(std::span<const NewJob> given,
                                                 std::vector<NewJob>& changed) const;
  Result<Cancelled> cancel(JobId job, std::string_view reason);
  Result<JobState> change(JobId job, const StateRequest& request);
  Result<BulkChange> change_all(const JobFilter& filter, const StateRequest& request);
  Result<JobId> create_batch(const NewBatch& batch);
  void tell_filters_of_members(JobId batch, std::span<const NewJob> jobs);
  Result<int> cancel_batch(JobId batch, std::string_view reason);
  Result<Job> wait(JobId job, std::stop_token stop);

  std::string subject_of(JobId job);
  // Of this node's; others see the request in the store.
  void stop_attempt(JobId job, std::string_view reason);
  // As the attempt's, which ends at once where it has not begun.
  void request_stop(const std::shared_ptr<Attempt>& attempt, StopReason why, std::string_view reason);
  void tell(const Change& change) { listeners_->send(change); }
  // Something is to be done, or somebody waits for what was done.
  void wake();
  FirePlanner first_fire();

  Store& store_;
  Clock& clock_;
  const EngineOptions options_;
  const std::string node_id_;
  const std::shared_ptr<Listeners> listeners_ = std::make_shared<Listeners>();
  std::map<std::string, Handler, std::less<>> handlers_;
  Filters filters_;
  Planner planner_;
  Services services_{clock_, [this] { tell(NodesChanged{}); }};

 private:
  enum class Phase { fresh, running, stopped };

  void loop(std::stop_token stop);

  // The parts of a tick.
  Result<void> look_at_clock(Timestamp now);
  Result<void> look_elsewhere();
  Result<void> look_after_nodes(Timestamp now);
  Result<void> stop_lost(Timestamp now);
  Result<void> stop_cancelled();
  // Asks attempts whose time-out is over to stop; says when the next one is.
  std::chrono::milliseconds stop_overdue();
  Result<void> fire(Timestamp now);
  Result<void> claim(Timestamp now);
  Result<void> trim(Timestamp now);
  std::chrono::milliseconds until_next(Timestamp now) const;

  void give_back_surplus();

  // On a worker's thread.
  void run(const std::shared_ptr<Attempt>& attempt);
  void freed(int waiting);
  double random();

  // On the completer's.
  void written(std::span<const Ended> ended, std::span<const std::optional<JobState>> states, bool written);

  // `reserved` of them were promised a worker.
  void hand_over(std::vector<Claimed> claimed, int reserved = 0);
  // Those that have not begun go back to the store.
  void stop_all();
  // Stops what runs once the time is over, unless `over` comes first.
  void ring_after(std::chrono::milliseconds timeout, const std::stop_token& over);
  void give_back(const std::vector<std::shared_ptr<Attempt>>& attempts, std::string_view reason);
  std::vector<std::shared_ptr<Attempt>> running() const;
  void forget(const std::shared_ptr<Attempt>& attempt);  // under mutex_

  std::mutex phase_mutex_;  // start and stop, one at a time
  std::atomic<Phase> phase_{Phase::fresh};

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool dirty_ = true;
  int starting_ = 0;     // calls of start_here() under way; stop() waits for them
  bool hungry_ = false;  // workers are free, and there was more than they could take
  std::uint64_t generation_ = 0;
  std::unordered_map<JobId, std::shared_ptr<Attempt>> running_;
  std::mt19937_64 random_;

  std::mutex tick_mutex_;  // guards what follows
  std::optional<Timestamp> next_fire_, next_due_, nodes_looked_at_, leases_looked_at_, next_trim_, last_tick_;

  std::atomic<bool> look_for_cancels_{false};
  // There may be more to claim. Written under tick_mutex_, as is the number of waiting attempts at which
  // more are fetched.
  std::atomic<bool> claim_again_{false};
  std::atomic<int> low_water_{0};

  Pace pace_;
  WorkerPool pool_;
  Completer completer_;  // goes first: it asks the pool
  std::jthread thread_;
};

}  // namespace sluice::jobs
