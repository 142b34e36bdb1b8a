// The validated set of definitions: an immutable snapshot, swapped as a whole on reload.
#pragma once

#include "definition/problem.h"
#include "definition/source_file.h"
#include "english_cron/translation.h"
#include "model/spec.h"

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

struct LoaderDefinition {
  LoaderSpec spec;
  std::string file;  // relative to the root
  std::string text;
  std::string hash;           // of the text
  std::string resolved_hash;  // of every file that has a say in it: its own, service, entity, data sources
  english_cron::Translation schedule;  // empty (never) when spec.schedule.manual
  Pacing pacing;
  std::vector<std::string> warnings;  // rendered without the place, the schedule's own included
};

struct Catalog {
  ServiceSpec service;
  // False when there is a service file that is not valid: its defaults and database are then unknown, and
  // nothing should be run by this catalog.
  bool service_valid = true;
  std::vector<LoaderDefinition> loaders;  // by name; all valid ones, disabled ones included
  std::string hash;                       // of all valid definitions together

  const LoaderDefinition* find(std::string_view loader) const;  // exact name
  // The nearest name, for "did you mean"; empty when none is near.
  std::string_view nearest_name(std::string_view loader) const;
};
using CatalogPtr = std::shared_ptr<const Catalog>;

// The definition with all defaults filled in, as YAML; secrets are ***. For `sluice show`.
std::string resolved_yaml(const LoaderDefinition& definition);

}  // namespace sluice::definition
