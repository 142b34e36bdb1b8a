#include "app/receipt_table.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sluice::app {
namespace {

std::string count_text(std::int64_t number) { return group_digits(number); }

std::vector<std::string> row_of(const Receipt& receipt) {
  return {receipt.loader,
          receipt.state,
          count_text(receipt.read),
          count_text(receipt.inserted),
          count_text(receipt.updated),
          count_text(receipt.deleted),
          count_text(receipt.unchanged),
          count_text(receipt.rejected),
          duration_text(receipt.duration_ms)};
}

std::string details_of(const Receipt& receipt) {
  std::string text;
  if (receipt.not_modified > 0 && receipt.read == 0 && !receipt.error)
    text += fmt::format("  {}: not modified\n", receipt.loader);
  if (receipt.restored > 0)
    text += fmt::format("  {}: {} restored\n", receipt.loader, count_text(receipt.restored));
  if (receipt.duplicates > 0) {
    text += fmt::format("  {}: {} duplicate keys, the last record of each counts\n", receipt.loader,
                        count_text(receipt.duplicates));
  }
  if (receipt.vanished > receipt.deleted) {
    text += fmt::format(
        "  {}: {} rows of the table are no longer in the source; kept (load.vanished: delete would remove "
        "them)\n",
        receipt.loader, count_text(receipt.vanished - receipt.deleted));
  }
  for (const auto& change : receipt.schema_changes) text += fmt::format("  {}: {}\n", receipt.loader, change);
  for (const auto& note : receipt.notes) text += fmt::format("  {}: {}\n", receipt.loader, note);
  if (receipt.error) text += fmt::format("  error: {}\n", receipt.error->describe());
  return text;
}

}  // namespace

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  if (milliseconds < 60'000) return fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000);
  return fmt::format("{} min {} s", milliseconds / 60'000, milliseconds / 1000 % 60);
}

std::string receipt_table(std::span<const Receipt> receipts) {
  std::vector<std::vector<std::string>> rows = {
      {"loader", "state", "read", "inserted", "updated", "deleted", "unchanged", "rejected", "duration"}};
  for (const auto& receipt : receipts) rows.push_back(row_of(receipt));
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool words = i < 2;
      text += words ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("{:>{}}", row[i], widths[i]);
      text += i + 1 < row.size() ? "  " : "\n";
    }
  }
  for (const auto& receipt : receipts) text += details_of(receipt);
  return text;
}

int exit_code_for_run(const Receipt& receipt) {
  if (!receipt.error) return receipt.state == "succeeded" ? 0 : 1;
  // A source that is not there is a failed run; only the definition and the arguments are exit 2.
  if (receipt.error->code == ErrorCode::not_found || receipt.error->code == ErrorCode::already_exists)
    return 1;
  // A definition that was accepted names a database or format that this build does not have.
  if (receipt.error->code == ErrorCode::unsupported) return 3;
  return exit_code_for(receipt.error->code);
}

}  // namespace sluice::app
