#include "api/live_backend.h"
#include "api/live_parts.h"
#include "base/secret.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace sluice::api {
namespace {

using jobs::JobState;

constexpr int kRunningShown = 20;
constexpr std::size_t kNextShown = 10;
constexpr std::size_t kAttentionShown = 50;
// A due schedule that has not fired for so long is late.
constexpr auto kLate = std::chrono::seconds(30);

struct LoaderHealth {
  bool failing = false;
  bool paused = false;
};

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

// Jobs of the last day whose receipt says that rows changed; bounded, since only recent ones are looked at.
Result<std::vector<jobs::Job>> finished_since(jobs::Store& store, Timestamp since, int limit) {
  jobs::JobFilter filter;
  filter.states = {JobState::succeeded};
  filter.kind = service::kLoadKind;
  filter.limit = limit;
  SLUICE_TRY(auto found, store.queries().list(filter));
  std::erase_if(found, [&](const auto& job) { return !job.finished_at || *job.finished_at < since; });
  return found;
}

std::int64_t rows_changed(const jobs::Job& job) {
  const auto receipt = receipt_of(job);
  return receipt_count(receipt, "inserted") + receipt_count(receipt, "updated") +
         receipt_count(receipt, "deleted") + receipt_count(receipt, "restored");
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
  }
  SLUICE_TRY(const auto runs, finished_since(store, now - window, 1000));
  for (const auto& run : runs) buckets[start_of(*run.finished_at)].rows += rows_changed(run);
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
  SLUICE_TRY(const auto queued, store.queries().list({.states = {JobState::enqueued}, .limit = 1000}));
  SLUICE_TRY(const auto nodes, store.nodes().nodes());
  SLUICE_TRY(const auto last_day, store.queries().minutes(now - std::chrono::hours(24)));
  SLUICE_TRY(const auto day_runs, finished_since(store, now - std::chrono::hours(24), 1000));

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
  std::optional<Timestamp> oldest;
  for (const auto& job : queued) oldest = oldest ? std::min(*oldest, job.created_at) : job.created_at;
  json["oldestEnqueuedAt"] = time_or_null(oldest);

  std::int64_t day_total[3] = {0, 0, 0};
  for (const auto& minute : last_day) {
    if (minute.state == JobState::succeeded) day_total[0] += minute.jobs;
    if (minute.state == JobState::failed) day_total[1] += minute.jobs;
    if (minute.state == JobState::skipped) day_total[2] += minute.jobs;
  }
  std::int64_t changed = 0;
  for (const auto& run : day_runs) changed += rows_changed(run);
  json["last24h"] = {{"succeeded", day_total[0]},
                     {"failed", day_total[1]},
                     {"skipped", day_total[2]},
                     {"rowsChanged", changed}};

  std::int64_t paused = 0;
  std::int64_t failing = 0;
  std::vector<std::pair<Timestamp, const jobs::Recurring*>> upcoming;
  Json needs = Json::array();
  add_definition_problems(*definitions, needs);
  for (const auto& one : recurring) {
    if (one.paused_at) ++paused;
    if (one.next_fire_at) {
      upcoming.emplace_back(*one.next_fire_at, &one);
      if (*one.next_fire_at + kLate < now && !one.paused_at && needs.size() < kAttentionShown) {
        needs.push_back(attention("late", "warning", one.spec.subject, "", "", 0, one.next_fire_at,
                                  "its schedule is late"));
      }
    }
    if (!one.error.empty() && needs.size() < kAttentionShown) {
      needs.push_back(attention("failing", "error", one.spec.subject, "", "", 0, std::nullopt, one.error));
    }
    SLUICE_TRY(const auto last, recent_runs(service_, one.spec.subject, 1));
    if (!last.empty() && last.back().state == JobState::failed) {
      ++failing;
      if (needs.size() < kAttentionShown) {
        const auto& job = last.back();
        needs.push_back(attention("failing", "error", job.subject, std::to_string(job.id.value()), "", 0,
                                  job.finished_at, job.error ? job.error->message : "the last run failed"));
      }
    }
  }
  for (const auto& job : waiting) {
    if (job.attempt == 0 || needs.size() >= kAttentionShown) continue;
    needs.push_back(attention("retrying", "warning", job.subject, std::to_string(job.id.value()), "", 0,
                              job.finished_at, job.error ? job.error->message : "waits for another try"));
  }
  const auto invalid = std::count_if(definitions->files.begin(), definitions->files.end(),
                                     [](const auto& file) { return !file.report.valid; });
  json["loaders"] = {{"total", definitions->catalog->loaders.size()},
                     {"paused", paused},
                     {"failing", failing},
                     {"invalid", invalid}};
  json["running"] = Json::array();
  for (const auto& job : running) json["running"].push_back(job_json(job, now));
  std::sort(upcoming.begin(), upcoming.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first, a.second->spec.subject) < std::pair(b.first, b.second->spec.subject);
  });
  json["nextRuns"] = Json::array();
  for (const auto& [at, one] : upcoming) {
    if (json["nextRuns"].size() == kNextShown) break;
    const auto* loader = definitions->catalog->find(one->spec.subject);
    json["nextRuns"].push_back(
        {{"loader", one->spec.subject},
         {"at", format_utc(at)},
         {"english", loader != nullptr ? loader->schedule.english : one->spec.phrase}});
  }
  json["needsAttention"] = std::move(needs);
  json["nodes"] = Json::array();
  for (const auto& node : nodes) json["nodes"].push_back(node_json(node, service_.engine().node_id(), now));
  SLUICE_TRY(json["throughput"], throughput(store, now, window, bucket));
  return dump(json);
}

Result<MetricsSnapshot> LiveService::metrics() {
  MetricsSnapshot snapshot;
  auto& store = service_.store();
  const auto definitions = service_.definitions();
  SLUICE_TRY(const auto counts, store.queries().counts());
  for (const auto state : jobs::kJobStates) {
    snapshot.jobs.emplace_back(jobs::to_string(state), counts[static_cast<std::size_t>(state)]);
  }
  SLUICE_TRY(const auto recurring, store.recurring().list(false));
  for (const auto& loader : definitions->catalog->loaders) {
    LoaderMetrics metrics{.name = loader.spec.name};
    for (const auto& one : recurring) {
      if (one.spec.id != service::recurring_id(loader.spec.name)) continue;
      metrics.paused = one.paused_at.has_value();
      metrics.next_run = one.next_fire_at;
    }
    SLUICE_TRY(const auto runs, recent_runs(service_, loader.spec.name, 10));
    for (const auto& run : runs) {
      if (run.state == JobState::succeeded) metrics.last_success = run.finished_at;
    }
    if (!runs.empty()) {
      const auto receipt = receipt_of(runs.back());
      metrics.failing = runs.back().state == JobState::failed;
      if (runs.back().duration_ms)
        metrics.last_duration = std::chrono::milliseconds(*runs.back().duration_ms);
      metrics.rows_read = receipt_count(receipt, "read");
      metrics.rows_inserted = receipt_count(receipt, "inserted");
      metrics.rows_updated = receipt_count(receipt, "updated");
      metrics.rows_deleted = receipt_count(receipt, "deleted");
      metrics.rows_rejected = receipt_count(receipt, "rejected");
    }
    snapshot.loaders.push_back(std::move(metrics));
  }
  snapshot.definitions_invalid = std::count_if(definitions->files.begin(), definitions->files.end(),
                                               [](const auto& file) { return !file.report.valid; });
  SLUICE_TRY(const auto nodes, store.nodes().nodes());
  snapshot.nodes_alive = static_cast<std::int64_t>(nodes.size());
  SLUICE_TRY(const auto queued, store.queries().list({.states = {JobState::enqueued}, .limit = 1000}));
  for (const auto& job : queued) {
    snapshot.oldest_enqueued =
        snapshot.oldest_enqueued ? std::min(*snapshot.oldest_enqueued, job.created_at) : job.created_at;
  }
  return snapshot;
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
      : jobs(service), catalog(service), live(service), actions(service) {}
  LiveJobs jobs;
  LiveCatalog catalog;
  LiveService live;
  LiveActions actions;
};

LiveBackend::LiveBackend(service::Service& service) : parts_(std::make_unique<Parts>(service)) {}
LiveBackend::~LiveBackend() = default;

Backend LiveBackend::backend() { return {parts_->jobs, parts_->catalog, parts_->live, parts_->actions}; }

}  // namespace sluice::api
