#include "app/queues.h"

#include "base/clock.h"
#include "base/text.h"
#include "jobs/engine.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kBy = "the command line";

void print(const Json& json) { out("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

Json json_of(const jobs::QueueInfo& queue) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"queue", queue.name},
          {"enqueued", queue.waiting},
          {"scheduled", queue.scheduled},
          {"processing", queue.running},
          {"maxRunning", queue.max_running ? Json(*queue.max_running) : Json()},
          {"paused", queue.paused_at.has_value()},
          {"pausedBy", or_null(queue.paused_by)},
          {"pauseReason", or_null(queue.pause_reason)}};
}

std::string counted(std::int64_t n) {
  return n >= jobs::kMostCounted ? fmt::format("{}+", jobs::kMostCounted) : fmt::format("{}", n);
}

std::string words_of(const jobs::QueueInfo& queue) {
  std::string line = fmt::format("{}: {} waiting, {} scheduled, {} running", queue.name,
                                 counted(queue.waiting), counted(queue.scheduled), queue.running);
  if (queue.max_running) line += fmt::format(" of {} at most", *queue.max_running);
  if (queue.paused_at) {
    line += "; paused";
    if (!queue.paused_by.empty()) line += fmt::format(" by {}", printable(queue.paused_by));
    if (!queue.pause_reason.empty()) line += fmt::format(": {}", printable(queue.pause_reason));
  }
  return line;
}

}  // namespace

Result<void> list_queues(jobs::Store* store, const GlobalOptions& globals) {
  std::vector<jobs::QueueInfo> queues;
  if (store != nullptr) {
    SLUICE_TRY(queues, store->queues().list());
  }
  for (const auto& queue : queues) {
    if (globals.json) {
      print(json_of(queue));
    } else {
      out("{}\n", words_of(queue));
    }
  }
  if (queues.empty() && !globals.quiet) err("No queue has been used yet\n");
  return {};
}

Result<void> change_queue(jobs::Store& store, const QueueChange& change, const GlobalOptions& globals) {
  SystemClock clock;
  jobs::Engine engine(store, clock);  // never started: it changes, and works at nothing
  std::string done = change.action == "pause" ? "paused" : "resumed";
  if (change.action == "pause") {
    const std::string reason = change.reason.empty() ? fmt::format("paused on {}", kBy) : change.reason;
    SLUICE_CHECK(engine.pause_queue(change.queue, kBy, reason));
  } else if (change.action == "resume") {
    SLUICE_CHECK(engine.resume_queue(change.queue));
  } else {
    SLUICE_CHECK(engine.limit_queue(change.queue, change.most));
    done = change.most ? fmt::format("limited to {}", *change.most) : "not limited";
  }
  if (globals.json) {
    print({{"queue", change.queue}, {"done", done}});
  } else if (!globals.quiet) {
    out("queue {}: {}\n", change.queue, done);
  }
  return {};
}

}  // namespace sluice::app
