// The counts of a stored receipt without the rest of it: lists show thousands of them.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::api {

struct ReceiptCounts {
  std::int64_t read = 0, inserted = 0, updated = 0, deleted = 0, restored = 0, unchanged = 0, rejected = 0,
               not_modified = 0;
};

// Reads no further than the last count. What is missing, or no receipt at all, counts as 0.
ReceiptCounts receipt_counts(std::string_view receipt);

}  // namespace sluice::api
