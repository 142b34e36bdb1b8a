#include "load/accounts.h"

#include "load/guards.h"
#include "load/sources.h"

#include <fmt/format.h>

namespace sluice::load {

void count_records(Receipt& receipt, const PassResult& pass, const diff::DiffCounts& counts) {
  receipt.read = pass.read;
  receipt.rejected = pass.rejected + counts.rejected;
  receipt.duplicates = counts.duplicates;
  receipt.inserted = counts.inserted;
  receipt.updated = counts.updated;
  receipt.restored = counts.restored;
  receipt.unchanged = counts.unchanged;
  receipt.ignored = counts.ignored;
}

std::string rejects_note(const LoaderSpec& loader, const Receipt& receipt, const PassResult& pass) {
  if (pass.rejects.empty()) return {};
  const auto& first = pass.rejects.front();
  return fmt::format("{} of {} records rejected; the first: {}, {}: {}", receipt.rejected, receipt.read,
                     source_label(loader.sources.at(first.source)), first.locator, first.message);
}

Result<void> judge_receipt(const LoaderSpec& loader, Receipt& receipt, const std::vector<std::int64_t>& good,
                           std::vector<std::string> empty, std::vector<std::string>& warnings) {
  const auto judgement = judge(loader, {.read = receipt.read,
                                        .rejected = receipt.rejected,
                                        .good = good,
                                        .empty = std::move(empty),
                                        .deletes = receipt.deleted,
                                        .rows_before = receipt.rows_before,
                                        .rows_after = receipt.rows_after});
  receipt.guards = judgement.verdicts;
  for (const auto& verdict : judgement.verdicts) {
    if (verdict.verdict == "warned") warnings.push_back(verdict.message);
  }
  if (!judgement.breached) return {};
  return fail(ErrorCode::guard, judgement.message);
}

}  // namespace sluice::load
