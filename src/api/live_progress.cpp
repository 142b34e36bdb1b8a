#include "api/live_progress.h"

#include <variant>

namespace sluice::api {
namespace {

constexpr std::chrono::seconds kWindow{5};

std::int64_t rate(std::int64_t amount, double seconds) {
  return seconds > 0 && amount > 0 ? static_cast<std::int64_t>(static_cast<double>(amount) / seconds) : 0;
}

}  // namespace

LiveProgress::LiveProgress(jobs::Engine& engine, Clock& clock)
    : clock_(clock), subscription_(engine.subscribe([this](const jobs::Change& change) { hear(change); })) {}

void LiveProgress::hear(const jobs::Change& change) {
  if (const auto* ended = std::get_if<jobs::JobChanged>(&change)) {
    if (ended->state == jobs::JobState::processing) return;
    const std::scoped_lock lock(mutex_);
    samples_.erase(ended->job);
    return;
  }
  const auto* said = std::get_if<jobs::ProgressChanged>(&change);
  if (said == nullptr) return;
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  auto& samples = samples_[said->job];
  // Rows of one phase do not add up with those of the next.
  if (!samples.empty() && samples.back().progress.phase != said->progress.phase) samples.clear();
  while (samples.size() > 1 && now - samples[1].at > kWindow) samples.pop_front();
  samples.push_back({now, said->progress});
}

std::optional<ProgressNow> LiveProgress::of(JobId job) const {
  const std::scoped_lock lock(mutex_);
  const auto found = samples_.find(job);
  if (found == samples_.end() || found->second.empty()) return std::nullopt;
  const auto& first = found->second.front();
  const auto& last = found->second.back();
  const double seconds = std::chrono::duration<double>(last.at - first.at).count();
  return ProgressNow{.progress = last.progress,
                     .rows_per_second = rate(last.progress.rows - first.progress.rows, seconds),
                     .bytes_per_second = rate(last.progress.bytes - first.progress.bytes, seconds)};
}

}  // namespace sluice::api
