// The counts of a run, real or planned, and what the guards say of them.
#pragma once

#include "diff/differ.h"
#include "load/pass.h"
#include "model/receipt.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::load {

// What became of every record that was read.
void count_records(Receipt& receipt, const PassResult& pass, const diff::DiffCounts& counts);

// "1 of 2 records rejected; the first: …"; "" when none was.
std::string rejects_note(const LoaderSpec& loader, const Receipt& receipt, const PassResult& pass);

// Only a part of the rejects says which row it is of; "" where all do, or where no row is judged to be gone.
std::string unjudged_note(const LoaderSpec& loader, const PassResult& pass);
// An append filled columns that were made anew (Comparison::refill); "" when it did not.
std::string refill_note(const Receipt& receipt, bool refills);
// The rows that a replacement removes were there before any loader.
std::string replaced_note(const LoaderSpec& loader, const Receipt& receipt);

// Judges the counts and leaves the verdicts in the receipt. `good`: records of each source that became rows.
// Error `guard` when one is breached; `warnings` gets what only warns.
Result<void> judge_receipt(const LoaderSpec& loader, Receipt& receipt, const std::vector<std::int64_t>& good,
                           const std::vector<ProbedItem>& items, std::vector<std::string>& warnings);

}  // namespace sluice::load
