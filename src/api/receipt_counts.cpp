#include "api/receipt_counts.h"

#include <array>
#include <charconv>
#include <utility>

namespace sluice::api {
namespace {

// With quotes and colon: within a JSON text these bytes can only be a key, since a quote inside a string is
// escaped. In a receipt the counts come first, before any other object that might hold such a key.
constexpr std::array<std::pair<std::string_view, std::int64_t ReceiptCounts::*>, 8> kFields = {{
    {"\"read\":", &ReceiptCounts::read},
    {"\"inserted\":", &ReceiptCounts::inserted},
    {"\"updated\":", &ReceiptCounts::updated},
    {"\"deleted\":", &ReceiptCounts::deleted},
    {"\"restored\":", &ReceiptCounts::restored},
    {"\"unchanged\":", &ReceiptCounts::unchanged},
    {"\"rejected\":", &ReceiptCounts::rejected},
    {"\"notModified\":", &ReceiptCounts::not_modified},
}};

}  // namespace

ReceiptCounts receipt_counts(std::string_view receipt) {
  ReceiptCounts counts;
  std::size_t last = 0;  // they stand in this order, so each is looked for behind the one before
  for (const auto& [key, field] : kFields) {
    auto at = receipt.find(key, last);
    if (at == std::string_view::npos) at = receipt.find(key);
    if (at == std::string_view::npos) continue;
    last = at;
    const auto digits = receipt.substr(at + key.size());
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc()) counts.*field = number;
  }
  return counts;
}

}  // namespace sluice::api
