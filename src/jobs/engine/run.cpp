// The running side of the engine: start, stop, and one attempt on a worker's thread.
#include "jobs/engine/impl.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr int kMostWorkersByDefault = 8;

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
  if (options.workers <= 0) options.workers = std::min(processors * 2, kMostWorkersByDefault);
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
      pool_(
          options_.workers, [this](const std::shared_ptr<Attempt>& attempt) { run(attempt); },
          [this] { wake(); }) {}

Result<void> Engine::Impl::start() {
  std::lock_guard one(phase_mutex_);
  if (phase_ != Phase::fresh) return fail(ErrorCode::conflict, "the job engine was started before");
  Node node;
  node.id = node_id_;
  node.name = options_.node_name;
  node.pid = ::getpid();
  node.version = options_.version;
  node.workers = options_.workers;
  node.started_at = clock_.now();
  SLUICE_CHECK(store_.nodes().join(node));
  pool_.start();
  phase_ = Phase::running;
  store_.nodes().on_change_elsewhere([this] { wake(); });
  if (options_.own_thread) thread_ = std::jthread([this](std::stop_token stop) { loop(std::move(stop)); });
  tell(NodesChanged{});
  return {};
}

void Engine::Impl::stop(milliseconds timeout) {
  std::lock_guard one(phase_mutex_);
  if (phase_ != Phase::running) return;
  store_.nodes().on_change_elsewhere({});
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  std::vector<std::shared_ptr<Attempt>> unbegun;
  {
    std::lock_guard last(tick_mutex_);
    phase_ = Phase::stopped;
    unbegun = pool_.close();
  }
  for (const auto& attempt : unbegun) give_back(*attempt);
  if (!pool_.wait_idle(timeout)) {
    for (const auto& attempt : running()) attempt->request_stop(StopReason::shutdown, "stopped by shut-down");
  }
  give_up_.request_stop();
  pool_.join();
  // What could not be written, the store takes back as this node leaves, or as its lock is found free.
  if (auto left = store_.nodes().leave(node_id_, clock_.now()); !left) {
    spdlog::warn("the job engine could not sign off: {}", left.error().describe());
  }
  wake();
  tell(NodesChanged{});
}

void Engine::Impl::give_back(const Attempt& attempt) {
  const Completion completion = attempt.give_back();
  // Tried once: what cannot be written now goes back as this node leaves, and nobody waits for that.
  const auto done = store_.jobs().complete(std::span(&completion, 1), clock_.now());
  {
    std::lock_guard lock(mutex_);
    running_.erase(attempt.job().id);
  }
  if (done && done->front()) tell(JobChanged{attempt.job().id, attempt.job().subject, *done->front()});
}

void Engine::Impl::run(const std::shared_ptr<Attempt>& attempt) {
  const Job& job = attempt->job();
  const Completion completion = attempt->run(handlers_.at(job.kind), random());
  if (auto flushed = attempt->flush(); !flushed) {
    spdlog::warn("the log of job {} could not be kept: {}", job.id.value(), flushed.error().describe());
  }
  complete(completion, job);
}

void Engine::Impl::complete(const Completion& completion, const Job& job) {
  // A result is not thrown away because the store is busy or its disk is full just now.
  milliseconds pause{50};
  auto done = store_.jobs().complete(std::span(&completion, 1), clock_.now());
  while (!done && clock_.sleep_for(pause, give_up_.get_token())) {
    spdlog::error("the end of job {} could not be written, trying again: {}", job.id.value(),
                  done.error().describe());
    pause = std::min(pause * 2, milliseconds(5'000));
    done = store_.jobs().complete(std::span(&completion, 1), clock_.now());
  }
  {
    std::lock_guard lock(mutex_);
    running_.erase(job.id);
  }
  if (!done) {
    spdlog::error("the end of job {} was not written: {}", job.id.value(), done.error().describe());
  } else if (!done->front()) {
    spdlog::warn("job {} was taken from this node before it ended; its result is dropped", job.id.value());
  } else {
    tell(JobChanged{job.id, job.subject, *done->front()});
  }
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
