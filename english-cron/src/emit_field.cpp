#include "emit.h"

#include <bit>
#include <vector>

namespace english_cron {

std::string field_text(std::uint64_t bits, int low, int high, ListStyle style) {
  std::vector<int> values;
  for (int v = low; v <= high; ++v) {
    if ((bits >> v & 1U) != 0) values.push_back(v);
  }
  const std::size_t count = values.size();
  if (count == static_cast<std::size_t>(high - low + 1)) return "*";
  if (count == 0) return "";
  if (style != ListStyle::fixed && count >= 2) {
    const int step = values[1] - values[0];
    bool even = true;
    for (std::size_t i = 1; i < count; ++i) even = even && values[i] - values[i - 1] == step;
    const bool enough = style == ListStyle::spread || count >= 3;
    if (even && enough && (step > 1 || style == ListStyle::spread || count >= 3)) {
      const bool whole = values.front() == low && values.back() + step > high;
      if (whole) return "*/" + std::to_string(step);
      const std::string range = std::to_string(values.front()) + "-" + std::to_string(values.back());
      return step == 1 ? range : range + "/" + std::to_string(step);
    }
  }
  const std::size_t shortest = style == ListStyle::spread ? 2 : 3;  // of a run that becomes a range
  std::string out;
  for (std::size_t i = 0; i < count;) {
    std::size_t end = i;
    while (style != ListStyle::fixed && end + 1 < count && values[end + 1] == values[end] + 1) ++end;
    if (!out.empty()) out += ',';
    out += std::to_string(values[i]);
    if (end - i + 1 >= shortest) {
      out += "-" + std::to_string(values[end]);
      i = end + 1;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace english_cron
