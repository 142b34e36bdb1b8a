#include "load/target_side.h"

#include "base/text.h"
#include "diff/row_hasher.h"
#include "diff/target_rows.h"
#include "upsert/stored_fingerprints.h"
#include "upsert/table_reader.h"

#include <fmt/format.h>

namespace sluice::load {

bool must_compare_by_columns(const upsert::Inspection& found, const upsert::TablePlan& plan) {
  return plan.fingerprints_stale || found.compare_by_columns() ||
         (found.state && found.state->hash_version != diff::kHashVersion);
}

Result<TargetSide> target_side(sql::Connection* connection, const upsert::Inspection& found,
                               const upsert::TablePlan& plan, bool by_columns, std::stop_token stop) {
  if (connection == nullptr || found.first_load()) return TargetSide{};
  if (!by_columns) {
    SLUICE_TRY(auto stored, upsert::StoredFingerprints::open(*connection, plan.table));
    const auto rows = found.known_rows();
    const bool counted = found.state && found.state->fingerprints >= 0;
    if (stored->entries() != (counted ? found.state->fingerprints : rows))
      return fail(ErrorCode::malformed, fmt::format("there are {} stored fingerprints for {} rows",
                                                    group_digits(stored->entries()), group_digits(rows)));
    const auto keyless = rows - stored->entries();
    return TargetSide{.fingerprints = std::move(stored), .keyless_rows = keyless};
  }
  SLUICE_TRY(const auto rows, upsert::TableReader::open(*connection, found, plan.table, plan.schema));
  diff::RowHasher hasher(plan.schema);
  SLUICE_TRY(auto made, diff::fingerprints_of_rows(*rows, hasher, rows->is_soft_deleted(), stop));
  if (made.duplicate_keys > 0) {
    return fail(ErrorCode::conflict,
                fmt::format("table {} has {} rows whose key another row has too: the key is not unique in it",
                            plan.table, made.duplicate_keys));
  }
  return TargetSide{.fingerprints = std::move(made.reader), .keyless_rows = made.without_key};
}

}  // namespace sluice::load
