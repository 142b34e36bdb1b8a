// The target's side of a comparison: its packed fingerprints, or new ones made from its rows.
#pragma once

#include "model/fingerprint.h"
#include "sql/connection.h"
#include "upsert/table_plan.h"
#include "upsert/table_state.h"

#include <cstdint>
#include <memory>
#include <stop_token>

namespace sluice::load {

struct TargetSide {
  std::unique_ptr<FingerprintReader> fingerprints;  // null where there is nothing to compare with
  std::int64_t keyless_rows = 0;                    // rows without a value in the key, which no load finds
};

// `connection` may be null when the table does not exist. Errors: malformed (the stored fingerprints are
// damaged or do not fit the rows), conflict (by columns: the key is not unique in the table).
Result<TargetSide> target_side(sql::Connection* connection, const upsert::Inspection& found,
                               const upsert::TablePlan& plan, bool by_columns, std::stop_token stop);

// Whether the stored fingerprints say nothing of the rows as the plan wants them.
bool must_compare_by_columns(const upsert::Inspection& found, const upsert::TablePlan& plan);

}  // namespace sluice::load
