#include "api/live_backend.h"
#include "api/live_parts.h"
#include "base/secret.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace sluice::api {
namespace {

using jobs::JobState;

constexpr int kRunningShown = 20;
constexpr std::size_t kNextShown = 10;
constexpr std::size_t kAttentionShown = 50;
// A due schedule that has not fired for so long is late.
constexpr auto kLate = std::chrono::seconds(30);

Json attention(const char* kind, const char* severity, const std::string& loader, const std::string& job,
               const std::string& file, int line, const std::optional<Timestamp>& since,
               const std::string& message) {
  return {{"kind", kind},
          {"severity", severity},
          {"loader", text_or_null(loader)},
          {"job", text_or_null(job)},
          {"file", text_or_null(file)},
          {"line", line > 0 ? Json(line) : Json(nullptr)},
          {"since", time_or_null(since)},
          {"message", message}};
}

Result<Json> throughput(jobs::Store& store, Timestamp now, std::chrono::seconds window,
                        std::chrono::seconds bucket) {
  SLUICE_TRY(const auto minutes, store.queries().minutes(now - window));
  struct Bucket {
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t rows = 0;
  };
  std::map<std::int64_t, Bucket> buckets;
  const auto start_of = [&](Timestamp at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
    return seconds - seconds % bucket.count();
  };
  for (const auto& minute : minutes) {
    auto& into = buckets[start_of(minute.minute)];
    if (minute.state == JobState::succeeded) into.succeeded += minute.jobs;
    if (minute.state == JobState::failed) into.failed += minute.jobs;
    into.rows += minute.amount;
  }
  Json list = Json::array();
  for (const auto& [at, one] : buckets) {
    list.push_back({{"at", format_utc(Timestamp(std::chrono::seconds(at)))},
                    {"succeeded", one.succeeded},
                    {"failed", one.failed},
                    {"rows", one.rows}});
  }
  return Json{{"bucketSeconds", bucket.count()}, {"buckets", std::move(list)}};
}

void add_definition_problems(const service::Definitions& definitions, Json& list) {
  for (const auto& file : definitions.files) {
    for (const auto& problem : file.report.problems) {
      if (problem.severity != definition::Problem::Severity::error || list.size() >= kAttentionShown)
        continue;
      const auto message = problem.message + (file.using_stored ? " (the last accepted version runs)" : "");
      list.push_back(attention("invalidDefinition", "error", file.report.name, "", file.report.file,
                               problem.place.line, std::nullopt, message));
      break;
    }
  }
}

Result<void> add_failing(jobs::Store& store, const std::map<std::string, JobId>& failing, Json& list) {
  std::vector<JobId> ids;
  for (const auto& [loader, job] : failing) {
    if (list.size() + ids.size() < kAttentionShown) ids.push_back(job);
  }
  SLUICE_TRY(auto jobs, store.queries().get_all(ids));
  std::ranges::sort(jobs, std::greater(), &jobs::Job::finished_at);
  for (const auto& job : jobs) {
    list.push_back(attention("failing", "error", job.subject, std::to_string(job.id.value()), "", 0,
                             job.finished_at, job.error ? job.error->message : "the last run failed"));
  }
  return {};
}

void add_schedule_problems(const std::vector<jobs::Recurring>& recurring, Timestamp now, Json& list) {
  for (const auto& one : recurring) {
    if (list.size() >= kAttentionShown) return;
    if (!one.error.empty()) {
      list.push_back(attention("failing", "error", one.spec.subject, "", "", 0, std::nullopt, one.error));
    } else if (one.next_fire_at && *one.next_fire_at + kLate < now && !one.paused_at) {
      list.push_back(attention("late", "warning", one.spec.subject, "", "", 0, one.next_fire_at,
                               "its schedule is late"));
    }
  }
}

// Jobs that a guard holds, or that wait for another try.
void add_waiting(const std::vector<jobs::Job>& jobs, const char* kind, Json& list) {
  for (const auto& job : jobs) {
    if (list.size() >= kAttentionShown) return;
    if (job.state == JobState::scheduled && job.attempt == 0) continue;
    const auto message = !job.reason.empty() ? job.reason
                         : job.error         ? job.error->message
                                             : std::string("waits for another try");
    list.push_back(attention(kind, "warning", job.subject, std::to_string(job.id.value()), "", 0,
                             job.finished_at, message));
  }
}

Json next_runs(const service::Definitions& definitions, const std::vector<jobs::Recurring>& recurring) {
  std::vector<const jobs::Recurring*> upcoming;
  for (const auto& one : recurring) {
    if (one.next_fire_at) upcoming.push_back(&one);
  }
  const auto shown = std::min(upcoming.size(), kNextShown);
  std::ranges::partial_sort(
      upcoming, upcoming.begin() + static_cast<std::ptrdiff_t>(shown), {},
      [](const auto* one) { return std::pair(*one->next_fire_at, std::string_view(one->spec.subject)); });
  upcoming.resize(shown);
  Json list = Json::array();
  for (const auto* one : upcoming) {
    const auto* loader = definitions.catalog->find(one->spec.subject);
    list.push_back({{"loader", one->spec.subject},
                    {"at", format_utc(*one->next_fire_at)},
                    {"english", loader != nullptr ? loader->schedule.english : one->spec.phrase}});
  }
  return list;
}

class EngineSubscription final : public Subscription {
 public:
  EngineSubscription(jobs::Subscription jobs, service::Service& service)
      : jobs_(std::move(jobs)), service_(service) {}
  ~EngineSubscription() override { service_.on_definitions_changed({}); }

 private:
  jobs::Subscription jobs_;
  service::Service& service_;
};

}  // namespace

Result<std::string> LiveService::overview(std::chrono::seconds window, std::chrono::seconds bucket) {
  auto& store = service_.store();
  const auto now = service_.clock().now();
  const auto definitions = service_.definitions();
  SLUICE_TRY(const auto counts, store.queries().counts());
  SLUICE_TRY(const auto recurring, store.recurring().list(false));
  SLUICE_TRY(const auto running,
             store.queries().list({.states = {JobState::processing}, .limit = kRunningShown}));
  SLUICE_TRY(const auto waiting, store.queries().list({.states = {JobState::scheduled}, .limit = 200}));
  SLUICE_TRY(const auto oldest, oldest_enqueued(store));
  SLUICE_TRY(const auto nodes, store.nodes().nodes());
  SLUICE_TRY(const auto last_day, store.queries().minutes(now - std::chrono::hours(24)));
  SLUICE_TRY(const auto failing, failing_loaders(service_, *definitions));

  Json json;
  json["now"] = format_utc(now);
  json["version"] = service_.options().version;
  json["startedAt"] = format_utc(service_.started_at());
  json["zone"] = definitions->catalog->service.timezone;
  const auto url = service_.databases().url_for(LoaderSpec{}, definitions->catalog->service);
  json["database"] = url ? mask_url(*url) : "";
  for (const auto state : jobs::kJobStates) {
    json["counts"][std::string(jobs::to_string(state))] = counts[static_cast<std::size_t>(state)];
  }
  const auto retrying =
      std::count_if(waiting.begin(), waiting.end(), [](const auto& job) { return job.attempt > 0; });
  json["retrying"] = retrying;
  json["oldestEnqueuedAt"] = time_or_null(oldest);

  std::int64_t day_total[3] = {0, 0, 0};
  std::int64_t changed = 0;
  for (const auto& minute : last_day) {
    changed += minute.amount;
    if (minute.state == JobState::succeeded) day_total[0] += minute.jobs;
    if (minute.state == JobState::failed) day_total[1] += minute.jobs;
    if (minute.state == JobState::skipped) day_total[2] += minute.jobs;
  }
  json["last24h"] = {{"succeeded", day_total[0]},
                     {"failed", day_total[1]},
                     {"skipped", day_total[2]},
                     {"rowsChanged", changed}};

  const auto paused =
      std::ranges::count_if(recurring, [](const auto& one) { return one.paused_at.has_value(); });
  const auto invalid =
      std::ranges::count_if(definitions->files, [](const auto& file) { return !file.report.valid; });
  json["loaders"] = {{"total", definitions->catalog->loaders.size()},
                     {"paused", paused},
                     {"failing", failing.size()},
                     {"invalid", invalid}};
  json["running"] = Json::array();
  for (const auto& job : running) json["running"].push_back(job_json(job, now, progress_.of(job.id)));
  json["nextRuns"] = next_runs(*definitions, recurring);
  Json needs = Json::array();
  add_definition_problems(*definitions, needs);
  add_schedule_problems(recurring, now, needs);
  SLUICE_CHECK(add_failing(store, failing, needs));
  SLUICE_TRY(const auto held,
             store.queries().list({.states = {JobState::held}, .limit = static_cast<int>(kAttentionShown)}));
  add_waiting(held, "held", needs);
  add_waiting(waiting, "retrying", needs);
  json["needsAttention"] = std::move(needs);
  json["nodes"] = Json::array();
  for (const auto& node : nodes) json["nodes"].push_back(node_json(node, service_.engine().node_id(), now));
  SLUICE_TRY(json["throughput"], throughput(store, now, window, bucket));
  return dump(json);
}

Result<void> LiveService::ready() {
  SLUICE_TRY(const auto counts, service_.store().queries().counts());
  static_cast<void>(counts);
  return {};
}

std::unique_ptr<Subscription> LiveService::subscribe(std::function<void(const ChangeNotice&)> listener) {
  auto shared = std::make_shared<std::function<void(const ChangeNotice&)>>(std::move(listener));
  auto jobs = service_.engine().subscribe([shared](const jobs::Change& change) {
    ChangeNotice notice;
    if (const auto* job = std::get_if<jobs::JobChanged>(&change)) {
      notice.jobs = notice.loaders = true;
      notice.job = job->job;
    } else if (const auto* progress = std::get_if<jobs::ProgressChanged>(&change)) {
      notice.jobs = true;
      notice.job = progress->job;
    } else if (std::holds_alternative<jobs::RecurringChanged>(change)) {
      notice.loaders = true;
    } else if (std::holds_alternative<jobs::NodesChanged>(change)) {
      notice.nodes = true;
    } else {
      notice.jobs = notice.loaders = true;
    }
    (*shared)(notice);
  });
  service_.on_definitions_changed([shared] {
    ChangeNotice notice;
    notice.definitions = notice.loaders = true;
    (*shared)(notice);
  });
  return std::make_unique<EngineSubscription>(std::move(jobs), service_);
}

struct LiveBackend::Parts {
  explicit Parts(service::Service& service)
      : progress(service.engine(), service.clock()),
        jobs(service, progress),
        catalog(service),
        live(service, progress),
        actions(service),
        queues(service) {}
  LiveProgress progress;
  LiveJobs jobs;
  LiveCatalog catalog;
  LiveService live;
  LiveActions actions;
  LiveQueueActions queues;
};

LiveBackend::LiveBackend(service::Service& service) : parts_(std::make_unique<Parts>(service)) {}
LiveBackend::~LiveBackend() = default;

Backend LiveBackend::backend() {
  return {parts_->jobs, parts_->catalog, parts_->live, parts_->actions, parts_->queues};
}

}  // namespace sluice::api
