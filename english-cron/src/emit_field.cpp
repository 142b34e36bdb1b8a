#include "emit.h"
#include "short_list.h"

#include <bit>

namespace english_cron {

std::string field_text(std::uint64_t bits, int low, int high, ListStyle style) {
  ShortList<int, 64> values;
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
    const bool spread = style == ListStyle::spread;
    const bool whole = values.front() == low && values.back() + step > high;
    const bool divides = (high - low + 1) % step == 0;
    // Two values are a step only when the step fills the field; short lists of days stay lists.
    if (even && step > 1 && whole && ((spread && (divides || count > 2)) || count >= 6))
      return "*/" + std::to_string(step);
    const bool range = step == 1 && (spread || count >= 3);
    const bool stepped = step > 1 && count >= (spread ? 3 : 6);
    if (even && (range || stepped)) {
      const std::string text = std::to_string(values.front()) + "-" + std::to_string(values.back());
      return step == 1 ? text : text + "/" + std::to_string(step);
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
