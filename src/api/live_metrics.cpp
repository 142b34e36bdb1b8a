// The figures for /metrics.
#include "api/live_parts.h"
#include "api/receipt_counts.h"
#include "service/loader_schedule.h"

#include <algorithm>
#include <unordered_map>

namespace sluice::api {

using jobs::JobState;

Result<MetricsSnapshot> LiveService::metrics() {
  MetricsSnapshot snapshot;
  auto& store = service_.store();
  const auto definitions = service_.definitions();
  SLUICE_TRY(const auto counts, store.queries().counts());
  for (const auto state : jobs::kJobStates) {
    snapshot.jobs.emplace_back(jobs::to_string(state), counts[static_cast<std::size_t>(state)]);
  }
  std::vector<std::string> names;
  std::unordered_map<std::string, LoaderMetrics> by_name;
  for (const auto& loader : definitions->catalog->loaders) {
    names.push_back(loader.spec.name);
    by_name.emplace(loader.spec.name, LoaderMetrics{.name = loader.spec.name});
  }
  SLUICE_TRY(const auto recurring, store.recurring().list(false));
  for (const auto& one : recurring) {
    const auto found = by_name.find(one.spec.subject);
    if (found == by_name.end()) continue;
    found->second.paused = one.paused_at.has_value();
    found->second.next_run = one.next_fire_at;
  }
  SLUICE_CHECK(each_recent_run(service_, names, 1, true, [&](const auto& run) {
    auto& metrics = by_name.at(run.subject);
    const auto receipt = receipt_counts(run.result);
    metrics.failing = run.state == JobState::failed;
    if (run.duration_ms) metrics.last_duration = std::chrono::milliseconds(*run.duration_ms);
    metrics.rows_read = receipt.read;
    metrics.rows_inserted = receipt.inserted;
    metrics.rows_updated = receipt.updated;
    metrics.rows_deleted = receipt.deleted;
    metrics.rows_rejected = receipt.rejected;
  }));
  SLUICE_CHECK(store.queries().recent(
      {.kind = std::string(service::kLoadKind),
       .subjects = names,
       .states = {JobState::succeeded},
       .per_subject = 1,
       .with_result = false},
      [&](const auto& run) { by_name.at(run.subject).last_success = run.finished_at; }));
  for (const auto& name : names) snapshot.loaders.push_back(std::move(by_name.at(name)));

  snapshot.definitions_invalid =
      std::ranges::count_if(definitions->files, [](const auto& file) { return !file.report.valid; });
  SLUICE_TRY(const auto nodes, store.nodes().nodes());
  snapshot.nodes_alive = static_cast<std::int64_t>(nodes.size());
  SLUICE_TRY(snapshot.oldest_enqueued, oldest_enqueued(store));
  return snapshot;
}

}  // namespace sluice::api
