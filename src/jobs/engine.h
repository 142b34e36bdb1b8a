// The job engine: fires recurring jobs, claims what is due, runs it on worker threads, retries, rescues,
// forgets. Any number of engines, in any number of processes, share one store.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "jobs/background.h"
#include "jobs/context.h"
#include "jobs/filter.h"
#include "jobs/job.h"
#include "jobs/recurring.h"
#include "jobs/store.h"

#include <chrono>
#include <concepts>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::jobs {

struct EngineOptions {
  int workers = 0;                      // 0 = twice the processors, 8 at most
  std::string node_name;                // empty = the host's name
  std::string version;                  // of the program, shown with the node
  std::chrono::milliseconds poll{250};  // how soon another process's work is noticed
  std::chrono::milliseconds shutdown_timeout{
      5'000};  // jobs may end by themselves for so long, then are stopped
  Retention retention;
  bool fire_recurring = true;  // false: leave schedules to others (`sluice run` beside a service)
  bool only_pinned = false;    // true: run only jobs enqueued by run_here()
  bool own_thread = true;      // false: nothing happens until tick() is called (tests)
  // The queues it serves, in proportion to their weights; empty = all, alike. start() refuses bad names.
  std::vector<QueueShare> queues;
  // false: it runs no job, whatever `workers` says; it fires schedules, rescues and enqueues like any other.
  // A node for the page alone.
  bool work = true;
};

// Something the page shows has changed. Sent after the commit, from any thread; listeners return fast.
struct JobChanged {
  JobId job;
  std::string subject;
  JobState state = JobState::enqueued;
};
struct ProgressChanged {  // at most ten a second per job
  JobId job;
  std::string subject;
  Progress progress;
};
struct RecurringChanged {
  std::string id;
};
struct NodesChanged {};
struct StoreChanged {};  // another process wrote something: look again
using Change = std::variant<JobChanged, ProgressChanged, RecurringChanged, NodesChanged, StoreChanged>;
using Listener = std::function<void(const Change&)>;

// Ends the subscription when it goes, after a call under way. May outlive the engine.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> end) : end_(std::move(end)) {}
  Subscription(Subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      if (end_) end_();
      end_ = std::exchange(other.end_, nullptr);
    }
    return *this;
  }
  ~Subscription() {
    if (end_) end_();
  }

 private:
  std::function<void()> end_;
};

class Engine {
 public:
  // Store and clock outlive the engine.
  Engine(Store& store, Clock& clock, EngineOptions options = {});
  ~Engine();  // stops
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Before start(). A kind without a handler is left to other nodes.
  void register_handler(std::string kind, Handler handler);
  // For the type's kind and each of its versions; typed.h says which types and which handlers.
  template <class T, class F>
  void on(F handler);
  // Before start(). For jobs of the kind, or of every kind; filter.h says in which order.
  void add_filter(std::shared_ptr<Filter> filter, std::string kind = {});
  // Before start(). The name is for people and for services().
  void add_service(std::string name, BackgroundService service, RestartPause pause = {});
  // As added. Thread-safe.
  std::vector<ServiceStatus> services() const;

  // Joins the store, rescues what dead nodes left, begins to work. Once only.
  Result<void> start();
  // Claims no more, lets jobs end for shutdown_timeout (or the time given), stops the rest, waits for them.
  // What was stopped is enqueued again, its attempt not counted. Calling it twice is harmless.
  void stop(std::optional<std::chrono::milliseconds> timeout = {});

  const std::string& node_id() const;
  Store& store();

  Result<JobId> enqueue(NewJob job);
  // Typed (typed.h): with the type's own options, or with those given in their place.
  template <class T>
    requires(!std::same_as<T, NewJob>)
  Result<JobId> enqueue(const T& job);
  template <class T>
    requires(!std::same_as<T, NewJob>)
  Result<JobId> enqueue(const T& job, NewJob options);
  Result<std::vector<Enqueued>> enqueue_all(std::span<const NewJob> jobs);
  // In the caller's own transaction, on its connection to the store's database: the jobs are there exactly
  // when it commits (JobStore::enqueue_in). Call wake() afterwards, or the jobs wait for the next poll.
  // Filters are told before, enqueuing(), and not after: the commit is the caller's.
  Result<std::vector<Enqueued>> enqueue_in(sql::Connection& transaction, std::span<const NewJob> jobs);
  Result<JobId> enqueue_in(sql::Connection& transaction, NewJob job);
  template <class T>  // typed (typed.h)
    requires(!std::same_as<T, NewJob> && !std::convertible_to<const T&, std::span<const NewJob>>)
  Result<JobId> enqueue_in(sql::Connection& transaction, const T& job);
  // Something may have been committed that the engine has not heard of: it looks at once. Thread-safe.
  void wake();
  // Fires a recurring job by hand, now; its schedule goes on as before.
  Result<JobId> run_now(std::string_view recurring_id, Origin origin, std::string started_by = {});
  // Enqueues a job that only this engine runs while it lives.
  Result<JobId> run_here(NewJob job);
  Result<Cancelled> cancel(JobId job, std::string_view reason);
  Result<void> requeue(JobId job, std::string_view reason);
  // FlowStore::change() and change_all(), at once, with the news told.
  Result<JobState> change(JobId job, const StateRequest& request);
  Result<BulkChange> change_all(const JobFilter& filter, const StateRequest& request);
  Result<JobId> create_batch(const NewBatch& batch);
  // Cancels every job of it that has not ended, those of batches inside it too. Returns how many.
  Result<int> cancel_batch(JobId batch, std::string_view reason);
  // The job as it rests: final or held. A `cancelled` error when stop is requested first.
  Result<Job> wait(JobId job, std::stop_token stop = {});

  // Creates or changes recurring jobs, all in one transaction; an edited schedule counts from now. An error
  // names the first spec that is refused, and nothing is changed.
  Result<void> upsert_recurring(std::span<const RecurringSpec> specs);
  // Typed: kind and arguments come from the job, as do name, queue and retry where the spec says none.
  template <class T>
  Result<void> upsert_recurring(const T& job, RecurringSpec spec);
  Result<void> retire_recurring(std::string_view id, std::string_view reason);
  Result<void> pause_recurring(std::string_view id, std::string_view by, std::string_view reason);
  Result<void> resume_recurring(std::string_view id);
  Result<std::vector<Recurring>> list_recurring(bool with_retired = false);

  // As QueueStore's; what they change, this engine heeds at once.
  Result<void> pause_queue(std::string_view queue, std::string_view by, std::string_view reason);
  Result<void> resume_queue(std::string_view queue);
  Result<void> limit_queue(std::string_view queue, std::optional<int> most);

  [[nodiscard]] Subscription subscribe(Listener listener);

  // One round: rescue, fire what is due, claim, hand to the workers, now and then trim. Returns when the
  // next one is due. The engine's own thread calls it; tests without that thread do.
  Result<std::chrono::milliseconds> tick();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::jobs
