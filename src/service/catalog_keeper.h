// Keeps the catalog of the definitions folder: reads and checks it, remembers every accepted text in the job
// store, and keeps what was valid running while a file is broken. Only a file that is gone takes its
// definition away.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "definition/catalog.h"
#include "definition/check.h"
#include "jobs/store.h"
#include "service/shared_catalog.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sluice::service {

// One file as it is now, and what runs instead of it when it is broken.
struct FileState {
  definition::FileReport report;
  bool differs = false;                  // from what all nodes run: that runs here too
  bool using_stored = false;             // broken: an earlier accepted text runs
  std::optional<Timestamp> accepted_at;  // of the text that runs
};

// An immutable snapshot; a run pins the one it started with.
struct Definitions {
  definition::CatalogPtr catalog;
  std::vector<FileState> files;
  std::vector<definition::Problem> problems;
};
using DefinitionsPtr = std::shared_ptr<const Definitions>;

class CatalogKeeper {
 public:
  // `store` may be null: nothing is remembered then (check, plan). Both outlive the keeper.
  CatalogKeeper(definition::CheckOptions options, jobs::DefinitionStore* store, Clock& clock);

  // Where several nodes share the store. Before the first reload(); outlives the keeper.
  void share(SharedCatalog& shared) { shared_ = &shared; }

  // Reads the folder and swaps the snapshot. Returns the names of loaders and jobs that are new, and of those
  // whose file is gone. Fails only when the folder or the store cannot be read; the snapshot stays as it was
  // then. One caller at a time.
  struct Changed {
    std::vector<std::string> added, removed;              // loaders
    std::vector<std::string> added_tasks, removed_tasks;  // jobs
  };
  Result<Changed> reload();

  DefinitionsPtr current() const;  // any thread; never null

 private:
  Result<std::vector<jobs::StoredDefinition>> stored() const;
  Result<void> remember(const std::vector<definition::SourceFile>& files, const Definitions& next,
                        const std::vector<jobs::StoredDefinition>& stored);

  definition::Checker checker_;
  jobs::DefinitionStore* store_;
  SharedCatalog* shared_ = nullptr;
  Clock& clock_;
  mutable std::mutex mutex_;
  DefinitionsPtr current_;
};

}  // namespace sluice::service
