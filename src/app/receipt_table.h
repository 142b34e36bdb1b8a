// Receipts for a terminal: a table, one line a run, and what went wrong below it.
#pragma once

#include "model/receipt.h"

#include <span>
#include <string>

namespace sluice::app {

std::string receipt_table(std::span<const Receipt> receipts);
std::string duration_text(std::int64_t milliseconds);

// The exit code a command ends with after this run (DESIGN, section 3).
int exit_code_for_run(const Receipt& receipt);

}  // namespace sluice::app
