#include "emit.h"
#include "english_text.h"

#include <bit>

namespace english_cron {

std::string field_text(std::uint64_t bits, int low, int high, ListStyle style) {
  const auto size = static_cast<std::size_t>(high - low + 1);
  const auto count = static_cast<std::size_t>(std::popcount(bits));
  if (count == size) return "*";
  std::string out;
  if (count == 0) return out;
  const Values values = values_of(bits);
  const int step = style == ListStyle::fixed ? 0 : step_of(values);
  if (step > 0) {
    const bool spread = style == ListStyle::spread;
    const bool whole = values.front() == low && values.back() + step > high;
    const bool divides = size % static_cast<std::size_t>(step) == 0;
    // Two values are a step only when the step fills the field; short lists of days stay lists.
    if (step > 1 && whole && ((spread && (divides || count > 2)) || count >= 6)) {
      out += "*/";
      append_number(out, step);
      return out;
    }
    const bool range = step == 1 && (spread || count >= 3);
    const bool stepped = step > 1 && count >= (spread ? 3 : 6);
    if (range || stepped) {
      append_number(out, values.front());
      out += '-';
      append_number(out, values.back());
      if (step == 1) return out;
      out += '/';
      append_number(out, step);
      return out;
    }
  }
  const std::size_t shortest = style == ListStyle::spread ? 2 : 3;  // of a run that becomes a range
  for (std::size_t i = 0; i < count;) {
    std::size_t end = i;
    while (style != ListStyle::fixed && end + 1 < count && values[end + 1] == values[end] + 1) ++end;
    if (!out.empty()) out += ',';
    append_number(out, values[i]);
    if (end - i + 1 >= shortest) {
      out += '-';
      append_number(out, values[end]);
      i = end + 1;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace english_cron
