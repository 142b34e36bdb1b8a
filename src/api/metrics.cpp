#include "api/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice::api {
namespace {

// Label values escape backslash, quote and line feed (Prometheus text format 0.0.4).
std::string label(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped.push_back('\\');
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

double seconds(Timestamp time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Value>
  void sample(std::string_view name, std::string_view labels, Value value) {
    fmt::format_to(std::back_inserter(text_), "{}{} {}\n", name, labels, value);
  }
  // One gauge over all loaders; `value` gives an optional number.
  template <class ValueOf>
  void per_loader(const MetricsSnapshot& snapshot, std::string_view name, std::string_view help,
                  ValueOf value) {
    family(name, "gauge", help);
    for (const LoaderMetrics& loader : snapshot.loaders) {
      if (const auto number = value(loader)) {
        sample(name, fmt::format("{{loader=\"{}\"}}", label(loader.name)), *number);
      }
    }
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string metrics_text(const MetricsSnapshot& snapshot, std::string_view version) {
  Page page;
  page.family("sluice_build_info", "gauge", "Always 1; the label says which version runs.");
  page.sample("sluice_build_info", fmt::format("{{version=\"{}\"}}", label(version)), 1);
  page.family("sluice_jobs", "gauge", "Jobs in the store by state.");
  for (const auto& [state, count] : snapshot.jobs) {
    page.sample("sluice_jobs", fmt::format("{{state=\"{}\"}}", label(state)), count);
  }
  page.family("sluice_oldest_enqueued_timestamp_seconds", "gauge",
              "Creation time of the job that waits longest.");
  if (snapshot.oldest_enqueued) {
    page.sample("sluice_oldest_enqueued_timestamp_seconds", "", seconds(*snapshot.oldest_enqueued));
  }
  page.family("sluice_nodes_alive", "gauge", "Processes that are alive.");
  page.sample("sluice_nodes_alive", "", snapshot.nodes_alive);
  page.family("sluice_definitions_invalid", "gauge", "Definition files with errors.");
  page.sample("sluice_definitions_invalid", "", snapshot.definitions_invalid);

  using Loader = LoaderMetrics;
  page.per_loader(snapshot, "sluice_loader_paused", "1 when the loader's schedule is paused.",
                  [](const Loader& loader) { return std::optional<int>(loader.paused); });
  page.per_loader(snapshot, "sluice_loader_failing", "1 when the loader's last finished run failed.",
                  [](const Loader& loader) { return std::optional<int>(loader.failing); });
  page.per_loader(snapshot, "sluice_loader_last_success_timestamp_seconds",
                  "End of the last run that succeeded.", [](const Loader& loader) {
                    return loader.last_success ? std::optional<double>(seconds(*loader.last_success))
                                               : std::nullopt;
                  });
  page.per_loader(
      snapshot, "sluice_loader_last_duration_seconds", "How long the last run took.",
      [](const Loader& loader) {
        return loader.last_duration
                   ? std::optional<double>(std::chrono::duration<double>(*loader.last_duration).count())
                   : std::nullopt;
      });
  page.per_loader(snapshot, "sluice_loader_next_run_timestamp_seconds", "When the loader runs next.",
                  [](const Loader& loader) {
                    return loader.next_run ? std::optional<double>(seconds(*loader.next_run)) : std::nullopt;
                  });
  page.family("sluice_loader_last_rows", "gauge", "Rows of the loader's last run by what became of them.");
  for (const Loader& loader : snapshot.loaders) {
    const std::pair<std::string_view, std::int64_t> rows[] = {{"read", loader.rows_read},
                                                              {"inserted", loader.rows_inserted},
                                                              {"updated", loader.rows_updated},
                                                              {"deleted", loader.rows_deleted},
                                                              {"rejected", loader.rows_rejected}};
    for (const auto& [outcome, count] : rows) {
      page.sample("sluice_loader_last_rows",
                  fmt::format("{{loader=\"{}\",outcome=\"{}\"}}", label(loader.name), outcome), count);
    }
  }
  return page.take();
}

}  // namespace sluice::api
