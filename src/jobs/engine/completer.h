// Writes how attempts ended, many in one transaction, on threads of its own, so that workers go on at once.
#pragma once

#include "base/clock.h"
#include "jobs/engine/attempt.h"
#include "jobs/store.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::jobs {

// An attempt that is over, and what became of it.
struct Ended {
  std::shared_ptr<Attempt> attempt;
  Completion completion;
  bool at_once = false;  // it took so long that nobody shall wait for its end any longer
  // The completer's own: how often the store refused it alone, and when it is tried again.
  int refusals = 0;
  std::chrono::steady_clock::time_point again_at{};
};

class Completer {
 public:
  // JobStore::complete().
  using Write =
      std::function<Result<std::vector<std::optional<JobState>>>(std::span<const Completion>, Timestamp)>;
  // JobStore::held_elsewhere().
  using Held = std::function<Result<std::vector<bool>>(std::span<const Completion>)>;
  // Whether more attempts will end within a moment, so that theirs may be written together with these.
  using MoreToCome = std::function<bool()>;
  // After the commit: the state that each has now, nothing where the lease was lost or where it was not
  // written at all (`written` false: only after stop()). On the completer's threads, on several at once.
  using OnWritten =
      std::function<void(std::span<const Ended>, std::span<const std::optional<JobState>>, bool written)>;

  Completer(Write write, Held held, Clock& clock, MoreToCome more, OnWritten on_written)
      : store_(std::move(write)),
        held_(std::move(held)),
        clock_(clock),
        more_(std::move(more)),
        on_written_(std::move(on_written)) {}
  ~Completer() { stop(); }
  Completer(const Completer&) = delete;
  Completer& operator=(const Completer&) = delete;

  void start();
  void add(Ended ended);  // from any thread
  // Waits until all is written; false when the time is over first.
  bool wait_empty(std::chrono::milliseconds timeout);
  // What is left is tried once more; then the threads end. Harmless when called twice.
  void stop();

 private:
  void work();
  // Beside work(), while that writes and many wait.
  void help();
  std::vector<Ended> take();  // of those that wait, as many as fit one transaction; under mutex_
  // Tries until it is written, or until stop().
  void write(std::vector<Ended> batch);
  // One try. What could not be written comes back, but for what somebody's open transaction holds: that is
  // put aside, and keeps nobody else waiting.
  std::vector<Ended> try_write(std::vector<Ended> batch);
  std::vector<Ended> try_each(std::vector<Ended> batch);
  // What is left of the batch without those that are held.
  std::vector<Ended> put_aside(std::vector<Ended> batch, const std::vector<bool>& held);
  // Those put aside that are free again.
  std::vector<Ended> take_free();
  // Puts an end aside that the store does not take for what is in it; in the end its job fails instead.
  void refused(Ended one, const Error& error);
  void give_up_on(std::span<const Ended> batch);
  bool due() const;

  const Write store_;
  const Held held_;
  Clock& clock_;
  const MoreToCome more_;
  const OnWritten on_written_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, help_, empty_;
  std::vector<Ended> waiting_;
  std::chrono::steady_clock::time_point since_{};  // when the first of them came
  bool at_once_ = false;
  int writing_ = 0;  // threads that write just now
  bool closing_ = false, unaided_ = false;
  std::vector<Ended> aside_;  // held by others when they were to be written
  std::chrono::steady_clock::time_point look_aside_at_{};
  std::chrono::milliseconds aside_pause_{};

  std::stop_source give_up_;
  std::thread thread_, helper_;
};

}  // namespace sluice::jobs
