// The validated set of definitions: an immutable snapshot, swapped as a whole on reload.
#pragma once

#include "definition/problem.h"
#include "definition/source_file.h"
#include "english_cron/translation.h"
#include "model/spec.h"
#include "model/task.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

// How the runs of a schedule meet and spread.
enum class Overlap { skip, queue_one, allow, cancel_old };
struct Pacing {
  Overlap overlap = Overlap::skip;
  std::chrono::milliseconds jitter{0};
};
std::string_view to_string(Overlap overlap);

// The loaders and jobs whose runs start this one (docs/decisions/0069).
struct After {
  enum class On { success, failure, always };
  enum class Wait {
    all,  // once a run of each has ended so since this one's own last run
    any,  // once for every run of any of them
  };
  std::vector<std::string> names;  // empty = none
  std::vector<Place> places;       // of the names
  On on = On::success;
  Wait wait = Wait::all;
};
std::string_view to_string(After::On on);

struct LoaderDefinition {
  LoaderSpec spec;
  std::string file;  // relative to the root
  std::string text;
  std::string hash;           // of the text
  std::string resolved_hash;  // of every file that has a say in it: its own, service, entity, data sources
  english_cron::Translation schedule;  // empty (never) when spec.schedule.manual
  Pacing pacing;
  After after;
  std::vector<std::string> warnings;  // rendered without the place, the schedule's own included
};

// A *.job.yaml.
struct TaskDefinition {
  TaskSpec spec;
  std::string file;  // relative to the root
  std::string text;
  std::string hash;                    // of the text
  english_cron::Translation schedule;  // empty (never) when spec.schedule.manual
  Pacing pacing;
  After after;
};

// Whatever of a definition can be run.
struct Runnable {
  const LoaderDefinition* loader = nullptr;  // or
  const TaskDefinition* task = nullptr;
  explicit operator bool() const { return loader != nullptr || task != nullptr; }
};

struct Catalog {
  ServiceSpec service;
  // False when there is a service file that is not valid: its defaults and database are then unknown, and
  // nothing should be run by this catalog.
  bool service_valid = true;
  std::vector<LoaderDefinition> loaders;  // by name; all valid ones, disabled ones included
  std::vector<TaskDefinition> tasks;      // likewise; no name is that of a loader
  std::string hash;                       // of all valid definitions together

  const LoaderDefinition* find(std::string_view loader) const;  // exact name
  const TaskDefinition* find_task(std::string_view name) const;
  Runnable find_runnable(std::string_view name) const;
  // Those that name it in their `after`, by name.
  std::vector<std::string_view> followers_of(std::string_view name) const;
  // The nearest name of a loader or job, for "did you mean"; empty when none is near.
  std::string_view nearest_name(std::string_view name) const;
};
using CatalogPtr = std::shared_ptr<const Catalog>;

// The definition with all defaults filled in, as YAML; secrets are ***. For `sluice show`.
std::string resolved_yaml(const LoaderDefinition& definition);
std::string resolved_yaml(const TaskDefinition& definition);

}  // namespace sluice::definition
