// One check from start to end: first what others refer to (services, data sources, entities), then loaders
// and jobs, then what they say of each other. Private to definition.
#pragma once

#include "definition/build.h"
#include "definition/check.h"
#include "definition/claims.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::definition {

// What one loader or job file came to, before other files have a say.
template <class Definition>
struct Outcome {
  std::string name;
  std::optional<Definition> definition;  // when valid
  std::vector<Problem> problems;
};

class CheckRun {
 public:
  CheckRun(const std::vector<SourceFile>& files, const CheckOptions& options);

  // Everything that loaders and jobs refer to.
  void read_surroundings();
  // Hash of all files that a loader may be made from, its own excepted.
  const std::string& surroundings() const { return surroundings_; }

  // Whether the file holds a definition at all; says why not, so ask once.
  bool readable(std::size_t i);
  Outcome<LoaderDefinition> read_loader(std::size_t i);
  Outcome<TaskDefinition> read_task(std::size_t i);
  void take_loader(std::size_t i, Outcome<LoaderDefinition> outcome);
  void take_task(std::size_t i, Outcome<TaskDefinition> outcome);

  // Names, tables and `after` of them all. Once, at the end.
  CheckResult finish();

 private:
  struct Service {
    ServiceSpec spec;
    const Node* defaults = nullptr;
  };

  template <class Function>
  void each(FileKind kind, Function function) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].kind == kind && documents_[i] != nullptr) function(i);
    }
  }
  // Takes over the file's name and problems; false when it holds no valid definition.
  template <class Definition>
  bool note(std::size_t i, Outcome<Definition>& outcome) {
    result_.files[i].name = outcome.name;
    result_.files[i].problems = std::move(outcome.problems);
    if (!outcome.definition) return false;
    const auto& spec = outcome.definition->spec;
    names_.push_back({i, spec.name, spec.name, spec.place});
    return true;
  }
  Context context_for(std::size_t i) {
    return {options_, documents_[i].get(), files_[i].nox, pool_, result_.files[i].problems};
  }
  void read_service(std::size_t i);
  void read_data_source(std::size_t i);
  void add_data_source(Context& context, std::size_t i, const Node& node);
  void read_entity(std::size_t i);
  void link_entities();

  // The loser's definition is gone; the winner's, if there is one, stays.
  template <class Map>
  void drop(Map& map, std::map<std::string, std::string, std::less<>>& broken, const Claim& claim) {
    const auto found = map.find(claim.name);
    if (found != map.end() && found->second.file == files_[claim.file].path) map.erase(found);
    if (!map.contains(claim.name)) broken.emplace(claim.name, files_[claim.file].path);
  }
  // Judges claims that clash; `lost` is told of each one refused, the winner excepted.
  template <class Lost>
  void settle(const std::vector<Claim>& claims, std::string_view what, Lost lost) {
    for (auto& clash : clashes(claims, files_, what)) {
      result_.files[clash.claim.file].problems.push_back(std::move(clash.problem));
      lost(clash.claim);
    }
  }

  // What `after` names, in this file's problems.
  void check_after();
  // The hashes of the files, besides its own, that a loader is made from.
  std::string depends_on(const Node& root) const;
  CheckResult report(std::shared_ptr<Catalog> catalog);

  const std::vector<SourceFile>& files_;
  const CheckOptions& options_;
  CheckResult result_;
  std::vector<std::shared_ptr<const Document>> documents_;  // of all files but loaders and jobs
  NodePool pool_;
  Known known_;
  std::map<std::size_t, Service> service_specs_;
  std::vector<Claim> services_, data_sources_, entities_, names_, loader_tables_;
  std::vector<std::pair<std::size_t, LoaderDefinition>> loaders_;
  std::vector<std::pair<std::size_t, TaskDefinition>> tasks_;
  std::string surroundings_;
};

// The name a file gives itself, even when the rest of it is wrong.
std::string name_of(const Document& document);
std::string stem_of(std::string_view path);
// The root map of a file in full, or null when there is nothing to go on with.
const Node* read_root(Context& context, const Concept& table);

}  // namespace sluice::definition
