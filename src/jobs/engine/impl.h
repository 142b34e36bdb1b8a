// The inside of Engine: the dispatching thread, the workers, who runs what.
#pragma once

#include "jobs/engine.h"
#include "jobs/engine/attempt.h"
#include "jobs/engine/listeners.h"
#include "jobs/engine/planner.h"
#include "jobs/engine/worker_pool.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>

namespace sluice::jobs {

class Engine::Impl {
 public:
  Impl(Store& store, Clock& clock, EngineOptions options);

  Result<void> start();
  void stop(std::chrono::milliseconds timeout);
  Result<std::chrono::milliseconds> tick();

  Result<std::vector<Enqueued>> enqueue(std::span<const NewJob> jobs);
  Result<Cancelled> cancel(JobId job, std::string_view reason);
  Result<Job> wait(JobId job, std::stop_token stop);

  std::string subject_of(JobId job);
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
  Planner planner_;

 private:
  enum class Phase { fresh, running, stopped };

  void loop(std::stop_token stop);

  // The parts of a tick.
  Result<void> look_at_clock(Timestamp now);
  Result<void> look_elsewhere();
  Result<void> look_after_nodes(Timestamp now);
  Result<void> stop_cancelled();
  Result<void> fire(Timestamp now);
  Result<void> claim(Timestamp now);
  Result<void> trim(Timestamp now);
  std::chrono::milliseconds until_next(Timestamp now) const;

  // On a worker's thread.
  void run(const std::shared_ptr<Attempt>& attempt);
  void complete(const Completion& completion, const Job& job);
  void give_back(const Attempt& attempt);  // one that has not begun
  double random();
  std::vector<std::shared_ptr<Attempt>> running() const;

  std::mutex phase_mutex_;  // start and stop, one at a time
  std::atomic<Phase> phase_{Phase::fresh};

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  bool dirty_ = true;
  std::uint64_t generation_ = 0;
  std::unordered_map<JobId, std::shared_ptr<Attempt>> running_;
  std::mt19937_64 random_;

  std::mutex tick_mutex_;  // guards what follows
  bool claim_again_ = false;
  bool look_for_cancels_ = false;
  std::optional<Timestamp> next_fire_, next_due_, nodes_looked_at_, next_trim_, last_tick_;

  std::stop_source give_up_;  // ends the tries to write completions
  WorkerPool pool_;
  std::jthread thread_;
};

}  // namespace sluice::jobs
