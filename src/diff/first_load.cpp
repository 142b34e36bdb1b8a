#include "diff/first_load.h"

#include <algorithm>

namespace sluice::diff {

void FirstLoad::add(const HashedRows& hashed, FirstLoadRows& out) {
  out.inserts.clear();
  out.overwrites.clear();
  overwrites_.clear();
  const auto before = log_.size();
  bool replaced = false;
  auto rejected = hashed.rejected.begin();
  for (std::size_t row = 0; row < hashed.keys.size(); ++row) {
    if (rejected != hashed.rejected.end() && *rejected == row) {
      ++rejected;
      continue;
    }
    const auto [index, duplicate] = log_.add(hashed.keys[row], hashed.fingerprints[row]);
    if (!duplicate) {
      out.inserts.push_back(row);
      continue;
    }
    ++counts_.duplicates;
    if (index >= before) {
      out.inserts[index - before] = row;
      replaced = true;
    } else {
      overwrites_.push_back({index, row});
    }
  }
  if (replaced) std::sort(out.inserts.begin(), out.inserts.end());

  std::sort(overwrites_.begin(), overwrites_.end(), [](const Overwrite& a, const Overwrite& b) {
    return a.index != b.index ? a.index < b.index : a.row < b.row;
  });
  for (std::size_t i = 0; i < overwrites_.size(); ++i) {
    const bool last = i + 1 == overwrites_.size() || overwrites_[i + 1].index != overwrites_[i].index;
    if (last) out.overwrites.push_back(overwrites_[i].row);
  }
  std::sort(out.overwrites.begin(), out.overwrites.end());
  counts_.inserted = static_cast<std::int64_t>(log_.size());
  counts_.rejected += static_cast<std::int64_t>(hashed.rejected.size());
}

}  // namespace sluice::diff
