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

// Judges the counts and leaves the verdicts in the receipt. `good`: records of each source that became rows;
// `empty`: files without a byte.
// Error `guard` when one is breached; `warnings` gets what only warns.
Result<void> judge_receipt(const LoaderSpec& loader, Receipt& receipt, const std::vector<std::int64_t>& good,
                           std::vector<std::string> empty, std::vector<std::string>& warnings);

}  // namespace sluice::load
