// date/tz is met here only. Its exceptions end here.
#include "zones.h"

#include "english_cron/translation.h"

#include <date/tz.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <map>
#include <mutex>
#include <optional>

namespace english_cron {
namespace {

constexpr std::int64_t kBeginning = INT64_MIN / 4;
constexpr std::int64_t kEnd = INT64_MAX / 4;
constexpr int kFirstYear = 1850;
constexpr int kLastTableYear = 2037;  // the system's zone files list changes up to here
constexpr int kLastYear = 2450;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int compare_no_case(std::string_view a, std::string_view b) {
  const std::size_t shared = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < shared; ++i) {
    const char x = lower(a[i]);
    const char y = lower(b[i]);
    if (x != y) return x < y ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

std::int64_t to_seconds(date::sys_seconds t) { return t.time_since_epoch().count(); }
std::int64_t days_of(date::year_month_day ymd) { return date::sys_days(ymd).time_since_epoch().count(); }

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

void add(ZoneTable& table, std::int64_t start, std::int32_t offset) {
  if (!table.offsets.empty() && table.offsets.back() == offset) return;
  table.starts.push_back(table.starts.empty() ? kBeginning : start);
  table.offsets.push_back(offset);
}

// A yearly change of the clocks: the first `weekday` on or after `day` of `month`, at `second` of the local
// day.
struct YearlyChange {
  unsigned month = 0;
  unsigned weekday = 0;
  unsigned day = 31;
  std::int64_t second = 0;
  std::int32_t offset_after = 0;
  std::int32_t offset_before = 0;
};

std::optional<YearlyChange> yearly_change(const ZoneTable& table, std::size_t last, std::size_t step) {
  YearlyChange rule;
  for (int i = 0; i < 12; ++i) {
    const std::size_t at = last - static_cast<std::size_t>(i) * step;
    if (at == 0 || at > last) return std::nullopt;
    const std::int64_t local = table.starts[at] + table.offsets[at - 1];
    const auto day = date::floor<date::days>(date::sys_seconds(std::chrono::seconds(local)));
    const date::year_month_day ymd{day};
    const unsigned weekday = date::weekday(day).c_encoding();
    const std::int64_t second = local - to_seconds(day);
    if (i == 0) {
      rule.month = static_cast<unsigned>(ymd.month());
      rule.weekday = weekday;
      rule.second = second;
      rule.offset_after = table.offsets[at];
      rule.offset_before = table.offsets[at - 1];
    }
    const bool same = static_cast<int>(ymd.year()) == kLastTableYear - i &&
                      static_cast<unsigned>(ymd.month()) == rule.month && weekday == rule.weekday &&
                      second == rule.second && table.offsets[at] == rule.offset_after;
    if (!same) return std::nullopt;
    rule.day = std::min(rule.day, static_cast<unsigned>(ymd.day()));
  }
  return rule;
}

// Carries the two yearly changes of the zone's last years on: the files end in 2037, daylight saving time
// does not.
void extend(ZoneTable& table) {
  if (table.starts.size() < 25) return;
  const std::size_t last = table.starts.size() - 1;
  const auto second = yearly_change(table, last, 2);
  const auto first = yearly_change(table, last - 1, 2);
  if (!first || !second) return;
  for (int y = kLastTableYear + 1; y <= kLastYear; ++y) {
    for (const YearlyChange& rule : {*first, *second}) {
      const date::sys_days earliest = date::year(y) / date::month(rule.month) / date::day(rule.day);
      const auto ahead = (date::weekday(rule.weekday) - date::weekday(earliest)).count();
      const std::int64_t local = to_seconds(earliest + date::days(ahead)) + rule.second;
      add(table, local - rule.offset_before, rule.offset_after);
    }
  }
}

std::shared_ptr<const ZoneTable> build(const std::string& name) {
  auto table = std::make_shared<ZoneTable>();
  if (const auto offset = fixed_offset(name)) {
    add(*table, kBeginning, *offset);
    return table;
  }
  const date::time_zone* zone = date::locate_zone(name);
  const std::int64_t stop = days_of(date::year(kLastTableYear + 1) / 1 / 1) * 86400;
  date::sys_seconds at{date::sys_days(date::year(kFirstYear) / 1 / 1)};
  while (to_seconds(at) < stop) {
    const date::sys_info info = zone->get_info(at);
    add(*table, to_seconds(info.begin), static_cast<std::int32_t>(info.offset.count()));
    if (info.end <= at) break;
    at = info.end;
  }
  extend(*table);
  return table;
}

}  // namespace

std::size_t ZoneTable::segment_at(std::int64_t utc) const {
  const auto after = std::upper_bound(starts.begin() + 1, starts.end(), utc);
  return static_cast<std::size_t>(after - starts.begin()) - 1;
}

std::int64_t ZoneTable::segment_end(std::size_t segment) const {
  return segment + 1 < starts.size() ? starts[segment + 1] : kEnd;
}

ZoneTable::Resolved ZoneTable::resolve(std::int64_t local) const {
  // No offset exceeds a day, so the segment two days earlier cannot lie after the wanted one.
  for (std::size_t i = segment_at(local - 2 * 86400); i < starts.size(); ++i) {
    const std::int64_t utc = local - offsets[i];
    if (utc < starts[i]) return {starts[i], i, true};
    if (utc < segment_end(i)) return {utc, i, false};
  }
  return {local - offsets.back(), starts.size() - 1, false};
}

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

std::string canonical_zone(std::string_view name) {
  const auto& names = zone_names();
  const auto found =
      std::lower_bound(names.begin(), names.end(), name,
                       [](const std::string& a, std::string_view b) { return compare_no_case(a, b) < 0; });
  if (found != names.end() && compare_no_case(*found, name) == 0) return *found;
  if (const auto offset = fixed_offset(name)) return fixed_name(*offset);
  return {};
}

std::shared_ptr<const ZoneTable> find_zone(std::string_view name) {
  // A memo of immutable tables, so that ten thousand schedules of one zone hold one table.
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const ZoneTable>, std::less<>> tables;

  const std::string canonical = canonical_zone(name);
  if (canonical.empty()) return nullptr;
  const std::lock_guard lock(mutex);
  if (auto known = tables[canonical].lock()) return known;
  try {
    auto table = canonical == "UTC" ? build("UTC+00:00") : build(canonical);
    tables[canonical] = table;
    return table;
  } catch (const std::exception&) {
    return nullptr;
  }
}

bool is_known_zone(std::string_view zone) { return !canonical_zone(zone).empty(); }

}  // namespace english_cron
