// Step 3 of a run: limits judged before anything becomes visible.
#pragma once

#include "model/receipt.h"
#include "model/spec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::load {

// Shares are judged from this many rows up: one of ten rows gone is no pattern.
inline constexpr std::int64_t kShareFrom = 50;
// Below that, a share of rejects is judged as this one, if it is smaller: half of the records.
inline constexpr double kMostRejected = 0.5;

struct GuardCounts {
  std::int64_t read = 0;
  std::int64_t rejected = 0;
  std::vector<std::int64_t> good;  // per source: records that became rows
  std::vector<std::string> empty;  // files without a byte, by name
  // Per source: part of it was added by the last run and not read again, so that its records are not known.
  // Empty: of none.
  std::vector<bool> partly_read;
  std::int64_t deletes = 0;      // rows that would go, soft or hard
  std::int64_t rows_before = 0;  // live rows
  std::int64_t rows_after = 0;
};

struct Judgement {
  std::vector<GuardVerdict> verdicts;
  bool breached = false;  // some guard failed and onBreach is `fail`
  std::string message;    // of the first failed guard: what was found, what the limit is, what to do
};

Judgement judge(const LoaderSpec& loader, const GuardCounts& counts);

}  // namespace sluice::load
