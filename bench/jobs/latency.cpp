// From the call that enqueues a job to the start of its handler, the node idle.
#include "base/clock.h"
#include "jobs/engine.h"
#include "ours.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace sluice::bench {
namespace {

constexpr int kWarmUp = 50;
constexpr std::chrono::milliseconds kPause{5};

// `enqueue` puts one job into the store; the engine has another store of the same place, or the same one.
template <class Enqueue>
std::vector<double> sample(jobs::Engine& engine, int samples, const Enqueue& enqueue) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Steady::time_point> started;
  engine.register_handler("noop", [&](jobs::JobContext&, std::stop_token) -> Result<jobs::JobOutcome> {
    const auto now = Steady::now();
    std::lock_guard lock(mutex);
    started = now;
    changed.notify_all();
    return jobs::JobOutcome{};
  });
  must(engine.start());
  std::vector<double> times;
  for (int i = 0; i < samples + kWarmUp; ++i) {
    std::this_thread::sleep_for(kPause);  // the node is idle again
    const auto begun = Steady::now();
    enqueue();
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return started.has_value(); });
    if (i >= kWarmUp) times.push_back(ms(*started - begun));
    started.reset();
  }
  engine.stop();
  return times;
}

}  // namespace

void latency(const std::string& url, int samples) {
  SystemClock clock;
  {
    const Place place(url);
    const auto store = place.open();
    jobs::Engine engine(*store, clock, {.workers = 4});
    say_times(fmt::format("sluice on {}: enqueue to start", place.name()),
              sample(engine, samples, [&] { must(engine.enqueue(noop())); }));
  }
  {
    const Place place(url);
    const auto store = place.open(), elsewhere = place.open();
    jobs::Engine web(*elsewhere, clock, {.workers = 1});
    must(web.start());
    jobs::Engine engine(*store, clock, {.workers = 4});
    say_times(fmt::format("sluice on {}: enqueued by another process, to start", place.name()),
              sample(engine, place.postgres() ? samples : std::min(samples, 20),
                     [&] { must(web.enqueue(noop())); }));
  }
}

}  // namespace sluice::bench
