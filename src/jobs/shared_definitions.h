// Which node declares which definition file, where several nodes with folders of their own share one store.
// Only a store that nodes of several machines can share keeps this (PostgreSQL).
#pragma once

#include "base/error.h"
#include "jobs/store.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

struct Declaration {
  std::string path;  // relative to the node's definitions folder
  std::string hash;  // of its text
};
struct ForeignDeclaration {
  std::string path, hash;
  std::string node;  // its name, as people read it
};

// All methods are safe from any thread.
class SharedDefinitions {
 public:
  virtual ~SharedDefinitions() = default;
  // The files that the node's folder holds, in place of what it declared before. They count while it lives.
  virtual Result<void> declare(std::string_view node, std::span<const Declaration> files) = 0;
  // What other living nodes declare, by path and node.
  virtual Result<std::vector<ForeignDeclaration>> declared_elsewhere(std::string_view node) = 0;
  // Another text whenever stored definitions or what others declare are other ones.
  virtual Result<std::string> state(std::string_view node) = 0;
};

// Null: the store is one machine's alone.
SharedDefinitions* shared_definitions(Store& store);

}  // namespace sluice::jobs
