#include "load/run_identity.h"

#include "history/run_key.h"

#include <fmt/format.h>

namespace sluice::load {

// A job store that was restored from a backup gives its ids again: what stands under them is another job's.
bool RunIdentity::is_ours(const Receipt& receipt) const {
  return receipt.loader == request_->loader.name && receipt.started_at >= request_->created_at;
}

Result<RunIdentity> RunIdentity::find(sql::Connection& connection, const Request& request) {
  RunIdentity identity;
  identity.request_ = &request;
  SLUICE_TRY(identity.key_, history::run_key(connection, request.store, request.job));
  SLUICE_TRY(const auto receipt, history::adopt(connection, identity.key_));
  if (!receipt || identity.is_ours(*receipt)) return identity;
  const auto own = fmt::format("{}@{}", request.store, request.created_at.time_since_epoch().count());
  SLUICE_TRY(identity.key_, history::run_key(connection, own, request.job));
  return identity;
}

Result<std::optional<Receipt>> RunIdentity::applied(sql::Connection& connection) const {
  SLUICE_TRY(auto receipt, history::adopt(connection, key_));
  if (receipt && !is_ours(*receipt)) receipt.reset();
  return receipt;
}

}  // namespace sluice::load
