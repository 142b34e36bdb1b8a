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

std::string unjudged_note(const LoaderSpec& loader, const PassResult& pass) {
  if (pass.keyless_rejects == 0 || loader.mode != LoadMode::sync) return {};
  return fmt::format("{} rejected {} no readable key: rows missing from the source are not judged",
                     pass.keyless_rejects, pass.keyless_rejects == 1 ? "record has" : "records have");
}

std::string refill_note(const Receipt& receipt, bool refills) {
  if (!refills || receipt.updated == 0) return {};
  return fmt::format(
      "{} known rows got back what the sources still have for the columns made anew; rows that the sources "
      "no longer have stay empty there",
      receipt.updated);
}

std::string replaced_note(const LoaderSpec& loader, const Receipt& receipt) {
  return fmt::format("table {} was there before this loader: its {} rows are replaced", loader.target.table,
                     receipt.deleted);
}

Result<void> judge_receipt(const LoaderSpec& loader, Receipt& receipt, const std::vector<std::int64_t>& good,
                           const std::vector<ProbedItem>& items, std::vector<std::string>& warnings) {
  // A source without an item answered "not modified".
  std::vector<bool> partly_read(loader.sources.size(), true);
  for (const auto& item : items) partly_read[item.source] = false;
  for (const auto& item : items) partly_read[item.source] = partly_read[item.source] || item.left_out;
  const auto judgement = judge(loader, {.read = receipt.read,
                                        .rejected = receipt.rejected,
                                        .good = good,
                                        .empty = empty_items(items),
                                        .partly_read = std::move(partly_read),
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
