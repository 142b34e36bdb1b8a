#include "definition/scalar.h"

#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace sluice::definition {
namespace {

// Digits with an optional fraction at the front of the text; removes them from it.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

struct DurationUnit {
  std::string_view name;
  double milliseconds;
};
constexpr std::array<DurationUnit, 6> kDurations = {
    {{"ms", 1}, {"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}}};

struct SizeUnit {
  std::string_view name;
  double bytes;
};
constexpr std::array<SizeUnit, 10> kSizes = {{{"TiB", 0x1p40},
                                              {"GiB", 0x1p30},
                                              {"MiB", 0x1p20},
                                              {"KiB", 0x1p10},
                                              {"TB", 1e12},
                                              {"GB", 1e9},
                                              {"MB", 1e6},
                                              {"KB", 1e3},
                                              {"kB", 1e3},
                                              {"B", 1}}};

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<bool> parse_nox_boolean(std::string_view text) {
  for (const std::string_view yes : {"true", "y", "yes", "on"}) {
    if (iequals(text, yes)) return true;
  }
  for (const std::string_view no : {"false", "n", "no", "off"}) {
    if (iequals(text, no)) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
    if (text.starts_with('-')) return std::nullopt;
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr double kLongest = 100.0 * 366 * 86'400'000;
  if (text == "0") return std::chrono::milliseconds{0};
  double total = 0;
  bool any = false;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    text = trim(text);
    const DurationUnit* unit = nullptr;
    for (const auto& candidate : kDurations) {
      if (text.starts_with(candidate.name)) {
        unit = &candidate;
        break;
      }
    }
    if (unit == nullptr) return std::nullopt;
    text = trim(text.substr(unit->name.size()));
    total += *number * unit->milliseconds;
    any = true;
  }
  if (!any || total > kLongest) return std::nullopt;
  return std::chrono::milliseconds{std::llround(total)};
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto total = duration.count();
  if (total == 0) return "0s";
  constexpr std::array<std::pair<std::string_view, long long>, 5> kUnits = {
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  for (const auto& [name, size] : kUnits) {
    if (total % size == 0) return fmt::format("{}{}", total / size, name);
  }
  return fmt::format("{}ms", total);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  text = trim(text);
  double factor = text.empty() ? 1 : 0;
  for (const auto& unit : kSizes) {
    if (text == unit.name) factor = unit.bytes;
  }
  const double bytes = *number * factor;
  if (factor == 0 || bytes > 0x1p60 || bytes != std::floor(bytes)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::pair<std::string_view, int>, 4> kUnits = {
      {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};
  for (const auto& [name, shift] : kUnits) {
    if (bytes > 0 && bytes % (1ull << shift) == 0) return fmt::format("{}{}", bytes >> shift, name);
  }
  return std::to_string(bytes);
}

std::optional<Limit> parse_limit(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  text = trim(text);
  if (text == "%") return Limit{*number / 100, true};
  if (!text.empty() || *number != std::floor(*number) || *number > 9e15) return std::nullopt;
  return Limit{*number, false};
}

std::optional<char> parse_character(std::string_view text) {
  if (text == "tab" || text == "\\t") return '\t';
  if (text == "space") return ' ';
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80) return text[0];
  return std::nullopt;
}

}  // namespace sluice::definition
