// Definitions of several nodes, each with a folder of its own, over one job store: every node runs the stored
// version. A file that changes while its node looks on is a proposal, and becomes the stored version; where a
// node's file differs from that otherwise, the stored one runs and the difference is told. What a living node
// declares runs on all, and is retired only when none does.
#pragma once

#include "base/error.h"
#include "definition/source_file.h"
#include "jobs/shared_definitions.h"
#include "jobs/store.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::service {

class SharedCatalog {
 public:
  SharedCatalog(jobs::SharedDefinitions& shared, std::string node)
      : shared_(shared), node_(std::move(node)) {}

  // Declares what the folder holds, and puts the stored version in the place of files that differ from it and
  // beside them what only others have. Returns why, by path. One caller at a time.
  Result<std::map<std::string, std::string>> adopt(std::vector<definition::SourceFile>& files,
                                                   const std::vector<jobs::StoredDefinition>& stored);
  // Whether something that adopt() looks at has changed since it was called. From any one thread.
  Result<bool> changed_elsewhere();

 private:
  using Hashes = std::map<std::string, std::string>;  // by path

  jobs::SharedDefinitions& shared_;
  const std::string node_;
  std::optional<Hashes> declared_;
  Hashes pending_;  // what was stored when the file was proposed
  std::string seen_;
};

}  // namespace sluice::service
