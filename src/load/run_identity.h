// Under which key a run is recorded in the target, and whether it stands there already.
#pragma once

#include "history/record.h"
#include "load/run.h"
#include "sql/connection.h"

#include <optional>

namespace sluice::load {

class RunIdentity {
 public:
  RunIdentity() = default;
  // Registers the job store where it is new to this database. `request` must outlive the identity.
  static Result<RunIdentity> find(sql::Connection& connection, const Request& request);

  JobId key() const { return key_; }
  // The receipt under which an earlier attempt of this very job was applied.
  Result<std::optional<Receipt>> applied(sql::Connection& connection) const;

 private:
  bool is_ours(const Receipt& receipt) const;

  const Request* request_ = nullptr;
  JobId key_;
};

}  // namespace sluice::load
