#include "jobs/engine/completer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
// While more are to come, ends are held back until there are so many, or for so long.
constexpr std::size_t kEnough = 200;
constexpr milliseconds kHeldBack{10};
// While a batch is being written the next one gathers. From so many on it is written beside it: the store has
// more than one connection, and its commits wait for the disk.
constexpr std::size_t kEnoughBeside = 500;
// One transaction stays short for those who wait for its locks.
constexpr std::size_t kMostAtOnce = 1'000;
constexpr milliseconds kFirstPause{50}, kLongestPause{5'000};
// For those that others hold: asking costs little, and somebody waits for them.
constexpr milliseconds kLongestAside{500};

// So often an end is tried alone that the store refuses for what is in it; then its job fails for that.
constexpr int kMostRefusals = 3;

// Real time: the machine's own threads are waited for.
std::chrono::steady_clock::time_point steady_now() { return std::chrono::steady_clock::now(); }

// Whether another of the batch may be written although this one failed with it.
bool may_be_one_of_them(const Error& error) {
  return !error.retryable && error.code != ErrorCode::io && error.code != ErrorCode::unreachable &&
         error.code != ErrorCode::locked;
}

std::vector<Completion> completions_of(std::span<const Ended> batch) {
  std::vector<Completion> completions;
  completions.reserve(batch.size());
  for (const Ended& one : batch) completions.push_back(one.completion);
  return completions;
}

void say(const Ended& one, std::size_t others, const Error& error) {
  spdlog::error("the end of job {}{} could not be written, trying again: {}", one.attempt->job().id.value(),
                others == 0 ? "" : " (and of others)", error.describe());
}

}  // namespace

void Completer::start() {
  thread_ = std::thread([this] { work(); });
  helper_ = std::thread([this] { help(); });
}

void Completer::add(Ended ended) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) since_ = steady_now();
    at_once_ = at_once_ || ended.at_once;
    waiting_.push_back(std::move(ended));
    if (writing_ > 0 && waiting_.size() >= kEnoughBeside) help_.notify_one();
    // Woken once for the first, and again only when there is something to do.
    if (waiting_.size() > 1 && !due()) return;
  }
  wake_.notify_one();
}

bool Completer::due() const {
  return closing_ || at_once_ || waiting_.size() >= kEnough || steady_now() - since_ >= kHeldBack || !more_();
}

bool Completer::wait_empty(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, timeout,
                         [this] { return waiting_.empty() && aside_.empty() && writing_ == 0; });
}

void Completer::stop() {
  give_up_.request_stop();
  {
    std::lock_guard lock(mutex_);
    unaided_ = true;
  }
  help_.notify_all();
  if (helper_.joinable()) helper_.join();  // first: what it leaves is the other one's
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Completer::work() {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return closing_ || !waiting_.empty(); };
  for (;;) {
    if (aside_.empty()) {
      wake_.wait(lock, [&] { return something() || !aside_.empty(); });
    } else {
      wake_.wait_until(lock, look_aside_at_, something);
    }
    if (waiting_.empty() && aside_.empty()) return;
    if (!waiting_.empty() && !due()) {
      wake_.wait_until(lock, since_ + kHeldBack, [this] { return due(); });
    }
    std::vector<Ended> batch = take();
    ++writing_;
    const bool last = closing_ && waiting_.empty();
    lock.unlock();
    for (Ended& one : take_free()) {
      if (one.refusals == 0) {
        batch.push_back(std::move(one));
      } else {
        std::vector<Ended> alone;
        alone.push_back(std::move(one));
        write(std::move(alone));
      }
    }
    if (!batch.empty()) write(std::move(batch));
    lock.lock();
    --writing_;
    if (last && waiting_.empty() && !aside_.empty()) {
      const auto left = std::exchange(aside_, {});
      lock.unlock();
      give_up_on(left);
      lock.lock();
    }
    if (waiting_.empty() && aside_.empty() && writing_ == 0) empty_.notify_all();
  }
}

void Completer::help() {
  std::unique_lock lock(mutex_);
  for (;;) {
    help_.wait(lock, [this] { return unaided_ || (writing_ > 0 && waiting_.size() >= kEnoughBeside); });
    if (unaided_) return;
    std::vector<Ended> batch = take();
    ++writing_;
    lock.unlock();
    write(std::move(batch));
    lock.lock();
    --writing_;
    if (!aside_.empty()) wake_.notify_one();
    if (waiting_.empty() && aside_.empty() && writing_ == 0) empty_.notify_all();
  }
}

std::vector<Ended> Completer::take() {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostAtOnce));
  std::vector<Ended> batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  at_once_ = false;
  return batch;
}

std::vector<Ended> Completer::take_free() {
  std::vector<Ended> looked;
  {
    std::lock_guard lock(mutex_);
    if (aside_.empty() || (!closing_ && steady_now() < look_aside_at_)) return looked;
    looked.swap(aside_);
  }
  auto held = held_(completions_of(looked));
  if (!held) held = std::vector<bool>(looked.size(), true);  // where nobody can say it, they stay
  const auto now = give_up_.stop_requested() ? std::chrono::steady_clock::time_point::max() : steady_now();
  for (std::size_t i = 0; i < looked.size(); ++i) {
    if (looked[i].again_at > now) (*held)[i] = true;
  }
  return put_aside(std::move(looked), *held);
}

std::vector<Ended> Completer::put_aside(std::vector<Ended> batch, const std::vector<bool>& held) {
  std::vector<Ended> free;
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < batch.size(); ++i) (held[i] ? aside_ : free).push_back(std::move(batch[i]));
  aside_pause_ = aside_.empty() ? milliseconds(0) : std::clamp(aside_pause_ * 2, kFirstPause, kLongestAside);
  look_aside_at_ = steady_now() + aside_pause_;
  return free;
}

void Completer::refused(Ended one, const Error& error) {
  if (one.refusals == 0) say(one, 0, error);
  // What is only given back holds nothing that could be refused.
  if (++one.refusals == kMostRefusals && one.completion.count_attempt) {
    Completion failed;
    failed.lease = one.completion.lease;
    failed.duration_ms = one.completion.duration_ms;
    failed.to = JobState::failed;
    failed.error = JobError{std::string(to_string(ErrorCode::internal)),
                            "it ended, but the store refuses to keep how: " + error.describe()};
    one.completion = std::move(failed);
  }
  one.again_at = steady_now() + std::min(kFirstPause * (1 << std::min(one.refusals - 1, 10)), kLongestPause);
  std::vector<Ended> alone;
  alone.push_back(std::move(one));
  put_aside(std::move(alone), {true});
}

void Completer::give_up_on(std::span<const Ended> batch) {
  for (const Ended& one : batch)
    spdlog::error("the end of job {} was not written", one.attempt->job().id.value());
  on_written_(batch, std::vector<std::optional<JobState>>(batch.size()), false);
}

void Completer::write(std::vector<Ended> batch) {
  milliseconds pause = kFirstPause;
  for (;;) {
    batch = try_write(std::move(batch));
    if (batch.empty()) return;
    // A result is not thrown away because the store is busy or its disk is full just now.
    if (!clock_.sleep_for(pause, give_up_.get_token())) break;
    pause = std::min(pause * 2, kLongestPause);
    // What has ended meanwhile need not wait for a turn of its own.
    std::lock_guard lock(mutex_);
    const std::size_t more = std::min(waiting_.size(), kMostAtOnce - std::min(kMostAtOnce, batch.size()));
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(more);
    batch.insert(batch.end(), std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
  }
  give_up_on(batch);
}

std::vector<Ended> Completer::try_write(std::vector<Ended> batch) {
  const auto done = store_(completions_of(batch), clock_.now());
  if (done) {
    on_written_(batch, *done, true);
    return {};
  }
  if (done.error().code == ErrorCode::locked) {
    const auto held = held_(completions_of(batch));
    if (held && std::ranges::find(*held, true) != held->end()) {
      auto others = put_aside(std::move(batch), *held);
      return others.empty() ? std::move(others) : try_write(std::move(others));
    }
  } else if (may_be_one_of_them(done.error())) {
    if (batch.size() > 1) return try_each(std::move(batch));
    refused(std::move(batch.front()), done.error());
    return {};
  }
  say(batch.front(), batch.size() - 1, done.error());
  return batch;
}

// One that the store does not take must not keep the others from being written.
std::vector<Ended> Completer::try_each(std::vector<Ended> batch) {
  std::vector<Ended> left;
  for (Ended& one : batch) {
    const auto done = store_(std::span(&one.completion, 1), clock_.now());
    if (done) {
      on_written_(std::span(&one, 1), *done, true);
    } else if (may_be_one_of_them(done.error())) {
      refused(std::move(one), done.error());
    } else {
      say(one, 0, done.error());
      left.push_back(std::move(one));
    }
  }
  return left;
}

}  // namespace sluice::jobs
