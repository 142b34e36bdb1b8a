// Who declares which definition, on PostgreSQL.
#pragma once

#include "jobs/postgres/database.h"
#include "jobs/shared_definitions.h"

namespace sluice::jobs {

class PostgresSharedDefinitions {
 public:
  explicit PostgresSharedDefinitions(PostgresPool& pool) : pool_(pool) {}
  Result<void> declare(std::string_view node, std::span<const Declaration> files);
  Result<std::vector<ForeignDeclaration>> declared_elsewhere(std::string_view node);
  Result<std::string> state(std::string_view node);

 private:
  PostgresPool& pool_;
};

}  // namespace sluice::jobs
