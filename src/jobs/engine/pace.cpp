#include "jobs/engine/pace.h"

#include <algorithm>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr double kWithinNs = 10e6;
constexpr int kMostAhead = 1'000;
// So many attempts per worker, before anybody may say that they are short.
constexpr int kEvidence = 4;
// The weight of the newest attempt: a single long one ends it for the next dozens.
constexpr double kWeight = 1.0 / 8;
constexpr milliseconds kSilent{100}, kStays{1'000};

}  // namespace

void Pace::ended(std::chrono::nanoseconds took, Steady now) {
  const auto ns = static_cast<double>(std::max<std::int64_t>(took.count(), 0));
  std::lock_guard lock(mutex_);
  average_ns_ = ended_ == 0 ? ns : average_ns_ + (ns - average_ns_) * kWeight;
  ++ended_;
  last_ = now;
}

int Pace::most_ahead(Steady now) const {
  if (ended_ < std::int64_t{kEvidence} * workers_ || average_ns_ >= kWithinNs || now - last_ > kSilent)
    return 0;
  return static_cast<int>(std::min<double>(kMostAhead, workers_ * kWithinNs / std::max(average_ns_, 1.0)));
}

void Pace::claimed(bool full, Steady now) {
  std::lock_guard lock(mutex_);
  claimed_ = now;
  const int most = most_ahead(now);
  if (full) ahead_ = std::max(workers_, ahead_ * 2);
  ahead_ = std::min(ahead_, most);
}

int Pace::ahead(Steady now) const {
  std::lock_guard lock(mutex_);
  return std::min(ahead_, most_ahead(now));
}

void Pace::handed_over(Steady now) {
  std::lock_guard lock(mutex_);
  claimed_ = now;
}

int Pace::surplus(int waiting, Steady now) const {
  std::lock_guard lock(mutex_);
  if (now - claimed_ <= kStays) return 0;
  return std::max(0, waiting - std::min(ahead_, most_ahead(now)));
}

}  // namespace sluice::jobs
