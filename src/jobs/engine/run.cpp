// The running side of the engine: start, stop, and one attempt on a worker's thread.
#include "jobs/engine/impl.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr int kMostWorkersByDefault = 8;
// The end of an attempt that took so long is written at once.
constexpr milliseconds kLong{1'000};

std::string new_node_id() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

EngineOptions completed(EngineOptions options) {
  const int processors = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (!options.work) {
    options.workers = 0;
  } else if (options.workers <= 0) {
    options.workers = std::min(processors * 2, kMostWorkersByDefault);
  }
  if (options.node_name.empty()) options.node_name = host_name();
  options.poll = std::max(options.poll, milliseconds(1));
  return options;
}

}  // namespace

Engine::Impl::Impl(Store& store, Clock& clock, EngineOptions options)
    : store_(store),
      clock_(clock),
      options_(completed(std::move(options))),
      node_id_(new_node_id()),
      random_(std::random_device{}()),
      pace_(options_.workers),
      pool_(
          options_.workers, [this](const std::shared_ptr<Attempt>& attempt) { run(attempt); },
          [this](int waiting) { freed(waiting); }),
      completer_([this](std::span<const Completion> ends,
                        Timestamp now) { return store_.jobs().complete(ends, now); },
                 [this](std::span<const Completion> ends) { return store_.jobs().held_elsewhere(ends); },
                 clock_, [this] { return pool_.waiting() > 0; },
                 [this](std::span<const Ended> ended, std::span<const std::optional<JobState>> states,
                        bool all_written) { written(ended, states, all_written); }) {}

Result<void> Engine::Impl::start() {
  std::lock_guard one(phase_mutex_);
  if (phase_ != Phase::fresh) return fail(ErrorCode::conflict, "the job engine was started before");
  for (const QueueShare& share : options_.queues) SLUICE_CHECK(check_queue_share(share));
  Node node;
  node.id = node_id_;
  node.name = options_.node_name;
  node.pid = ::getpid();
  node.version = options_.version;
  node.workers = options_.workers;
  node.started_at = clock_.now();
  node.kinds.emplace();
  // One that runs only what is pinned to it has no handler for what others wait for.
  for (const auto& [kind, handler] : handlers_) {
    if (!options_.only_pinned && options_.workers > 0) node.kinds->push_back(kind);
  }
  SLUICE_CHECK(store_.nodes().join(node));
  completer_.start();
  pool_.start();
  phase_ = Phase::running;
  services_.start();
  store_.nodes().on_change_elsewhere([this] { wake(); });
  if (options_.own_thread) thread_ = std::jthread([this](std::stop_token stop) { loop(std::move(stop)); });
  tell(NodesChanged{});
  return {};
}

void Engine::Impl::stop(milliseconds timeout) {
  std::lock_guard one(phase_mutex_);
  if (phase_ != Phase::running) return;
  // Counted from here, whatever store or service keeps the next lines waiting.
  const auto begun = std::chrono::steady_clock::now();
  const std::jthread bell([this, timeout](const std::stop_token& over) { ring_after(timeout, over); });
  store_.nodes().on_change_elsewhere({});
  services_.stop();
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  std::vector<std::shared_ptr<Attempt>> unbegun;
  {
    std::lock_guard last(tick_mutex_);
    {
      std::unique_lock lock(mutex_);
      phase_ = Phase::stopped;
      wake_.wait(lock, [this] { return starting_ == 0; });
    }
    unbegun = pool_.close();
  }
  give_back(unbegun, "stopped by shut-down");
  const auto left_of = [&] {
    const auto waited = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
    return std::max(milliseconds(0), timeout - waited);
  };
  if (pool_.wait_idle(left_of())) {
    completer_.wait_empty(left_of());  // their ends may still wait for a busy store
  } else {
    stop_all();
  }
  pool_.join();
  completer_.stop();
  // What could not be written, the store takes back as this node leaves, or as its lock is found free.
  if (auto left = store_.nodes().leave(node_id_, clock_.now()); !left) {
    spdlog::warn("the job engine could not sign off: {}", left.error().describe());
  }
  wake();
  tell(NodesChanged{});
}

void Engine::Impl::stop_all() {
  for (const auto& attempt : running()) attempt->request_stop(StopReason::shutdown, "stopped by shut-down");
}

void Engine::Impl::ring_after(milliseconds timeout, const std::stop_token& over) {
  std::mutex mutex;
  std::condition_variable_any bell;
  std::unique_lock lock(mutex);
  bell.wait_for(lock, over, timeout, [] { return false; });
  if (!over.stop_requested()) stop_all();
}

void Engine::Impl::give_back(const std::vector<std::shared_ptr<Attempt>>& attempts, std::string_view reason) {
  if (attempts.empty()) return;
  std::vector<Completion> completions;
  completions.reserve(attempts.size());
  for (const auto& attempt : attempts) completions.push_back(attempt->give_back(reason));
  // Tried once: what cannot be written now goes back as this node leaves, and nobody waits for that.
  const auto done = store_.jobs().complete(completions, clock_.now());
  {
    std::lock_guard lock(mutex_);
    for (const auto& attempt : attempts) forget(attempt);
  }
  if (!done) return;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const Job& job = attempts[i]->job();
    if ((*done)[i]) tell(JobChanged{job.id, job.subject, *(*done)[i]});
  }
}

void Engine::Impl::run(const std::shared_ptr<Attempt>& attempt) {
  const auto begun = clock_.steady();
  const Handler& handler = handlers_.at(attempt->job().kind);
  const auto filtered = [&](JobContext& context, std::stop_token stop) {
    return filters_.perform(handler, context, std::move(stop));
  };
  Ended ended{attempt, filters_.empty() ? attempt->run(handler, [this] { return random(); })
                                        : attempt->run(filtered, [this] { return random(); })};
  if (!filters_.empty() && ended.completion.count_attempt)
    filters_.elect(*attempt, ended.completion, clock_.now());
  const auto now = clock_.steady();
  if (auto flushed = attempt->flush(); !flushed) {
    spdlog::warn("the log of job {} could not be kept: {}", attempt->job().id.value(),
                 flushed.error().describe());
  }
  ended.completion.duration_ms = std::chrono::duration_cast<milliseconds>(now - begun).count();
  ended.at_once = now - begun >= kLong;
  pace_.ended(now - begun, now);
  completer_.add(std::move(ended));
}

void Engine::Impl::freed(int waiting) {
  // Where the last claim found less than it had asked for, only what is written or enqueued can make more.
  if (!claim_again_ || waiting > low_water_) return;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(hungry_, true)) return;
  }
  wake_.notify_all();
}

void Engine::Impl::written(std::span<const Ended> ended, std::span<const std::optional<JobState>> states,
                           bool all_written) {
  {
    std::lock_guard lock(mutex_);
    for (const Ended& one : ended) forget(one.attempt);
  }
  for (std::size_t i = 0; i < ended.size() && all_written; ++i) {
    const Job& job = ended[i].attempt->job();
    if (states[i]) {
      tell(JobChanged{job.id, job.subject, *states[i]});
      filters_.applied(job, *states[i]);
    } else {
      spdlog::warn("job {} was taken from this node before it ended; its result is dropped", job.id.value());
    }
  }
  wake();
}

void Engine::Impl::forget(const std::shared_ptr<Attempt>& attempt) {
  const auto found = running_.find(attempt->job().id);
  if (found != running_.end() && found->second == attempt) running_.erase(found);
}

double Engine::Impl::random() {
  std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

std::vector<std::shared_ptr<Attempt>> Engine::Impl::running() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Attempt>> attempts;
  attempts.reserve(running_.size());
  for (const auto& [id, attempt] : running_) attempts.push_back(attempt);
  return attempts;
}

}  // namespace sluice::jobs
