// date/tz is met here only. Its exceptions end here.
#include "zones.h"

#include "english_cron/translation.h"
#include "letters.h"

#include <date/tz.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>

namespace english_cron {
namespace {

constexpr int kFirstYear = 1850;
constexpr int kLastTableYear = 2037;  // the system's zone files list changes up to here

int compare_no_case(std::string_view a, std::string_view b) {
  const std::size_t shared = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < shared; ++i) {
    const char x = lower(a[i]);
    const char y = lower(b[i]);
    if (x != y) return x < y ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

// "utc+5", "GMT-05:30", "UTC+0530": seconds east, when the text has that shape.
std::optional<std::int32_t> fixed_offset(std::string_view name) {
  if (name.size() < 5 || (compare_no_case(name.substr(0, 3), "utc") != 0)) return std::nullopt;
  const int sign = name[3] == '+' ? 1 : (name[3] == '-' ? -1 : 0);
  if (sign == 0) return std::nullopt;
  int hours = 0;
  int minutes = 0;
  const char* end = name.data() + name.size();
  auto [rest, problem] = std::from_chars(name.data() + 4, end, hours);
  if (problem != std::errc{} || name[4] == '-') return std::nullopt;
  if (rest != end) {
    if (*rest != ':' || end - rest != 3 || rest[1] == '-') return std::nullopt;
    const auto tail = std::from_chars(rest + 1, end, minutes);
    if (tail.ec != std::errc{} || tail.ptr != end) return std::nullopt;
  }
  if (hours > 14 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

std::string fixed_name(std::int32_t offset) {
  const int minutes = std::abs(offset) / 60;
  std::string out = offset < 0 ? "UTC-" : "UTC+";
  for (const int part : {minutes / 60, minutes % 60}) {
    out += static_cast<char>('0' + part / 10);
    out += static_cast<char>('0' + part % 10);
    if (out.size() == 6) out += ':';
  }
  return out;
}

ZoneTable build(const std::string& name) {
  ZoneTable table;
  if (const auto offset = fixed_offset(name)) {
    table.add(0, *offset);
    return table;
  }
  const date::time_zone* zone = date::locate_zone(name);
  const date::sys_seconds stop{date::sys_days(date::year(kLastTableYear + 1) / 1 / 1)};
  date::sys_seconds at{date::sys_days(date::year(kFirstYear) / 1 / 1)};
  while (at < stop) {
    const date::sys_info info = zone->get_info(at);
    table.add(info.begin.time_since_epoch().count(), static_cast<std::int32_t>(info.offset.count()));
    if (info.end <= at) break;
    at = info.end;
  }
  table.continue_yearly();
  return table;
}

}  // namespace

const std::vector<std::string>& zone_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    try {
      for (const date::time_zone& zone : date::get_tzdb().zones) {
        const std::string& name = zone.name();
        const bool real = !name.starts_with("posix") && !name.starts_with("right/") && name != "localtime" &&
                          name != "Factory" && name.find('.') == std::string::npos;
        if (real) names.push_back(name);
      }
    } catch (const std::exception&) {
      names.clear();  // no zone files on this machine: only UTC and fixed offsets are known
    }
    if (std::find(names.begin(), names.end(), "UTC") == names.end()) names.emplace_back("UTC");
    std::sort(names.begin(), names.end(),
              [](const std::string& a, const std::string& b) { return compare_no_case(a, b) < 0; });
    return names;
  }();
  return kNames;
}

int zone_index(std::string_view name) {
  const auto& names = zone_names();
  const auto found =
      std::lower_bound(names.begin(), names.end(), name,
                       [](const std::string& a, std::string_view b) { return compare_no_case(a, b) < 0; });
  return found != names.end() && compare_no_case(*found, name) == 0 ? static_cast<int>(found - names.begin())
                                                                    : -1;
}

std::string canonical_zone(std::string_view name) {
  const int index = zone_index(name);
  if (index >= 0) return zone_names()[static_cast<std::size_t>(index)];
  if (const auto offset = fixed_offset(name)) return fixed_name(*offset);
  return {};
}

std::optional<ZoneTable> find_zone(std::string_view name) {
  const std::string canonical = canonical_zone(name);
  if (canonical.empty()) return std::nullopt;
  try {
    return build(canonical == "UTC" ? "UTC+00:00" : canonical);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool is_known_zone(std::string_view zone) { return !canonical_zone(zone).empty(); }

}  // namespace english_cron
