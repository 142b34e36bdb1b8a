// Zone names and their offsets, taken from date/tz as plain tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace english_cron {

/// A yearly change of the clocks: the first `weekday` (0 is Sunday) on or after `day` of `month`, at `second`
/// of the local day.
struct YearlyChange {
  unsigned month = 0;
  unsigned weekday = 0;
  unsigned day = 31;
  std::int64_t second = 0;
  std::int32_t offset_after = 0;
  std::int32_t offset_before = 0;

  std::int64_t in_year(int year) const;  // UTC seconds
  bool operator==(const YearlyChange&) const = default;
};

/// Offsets of one zone from UTC, oldest first. Segment i holds from start(i) up to end(i). The changes that
/// the system's files list are kept; the yearly ones after them are computed, so a table is a few kilobytes.
class ZoneTable {
 public:
  bool operator==(const ZoneTable&) const = default;

  std::size_t size() const { return starts_.size() + later_; }
  std::size_t segment_at(std::int64_t utc) const;
  /// UTC seconds; of the first segment INT64_MIN / 4.
  std::int64_t start(std::size_t segment) const {
    return segment < starts_.size() ? starts_[segment] : later_start(segment - starts_.size());
  }
  std::int64_t end(std::size_t segment) const;  // of the last one INT64_MAX / 4
  /// Seconds east of UTC.
  std::int32_t offset(std::size_t segment) const {
    return segment < offsets_.size() ? offsets_[segment]
                                     : yearly_[(segment - offsets_.size()) % 2].offset_after;
  }
  std::int32_t offset_at(std::int64_t utc) const { return offset(segment_at(utc)); }

  struct Resolved {
    std::int64_t utc;
    std::size_t segment;
    bool in_gap;
  };
  /// The first instant that shows the wall-clock time `local`; inside a gap, the gap's end.
  Resolved resolve(std::int64_t local) const;

  /// A change of the clocks after all known ones; without effect when the offset stays the same.
  void add(std::int64_t start, std::int32_t offset);
  /// Carries the two yearly changes of the last years on: the files end in 2037, daylight saving time does
  /// not.
  void continue_yearly();

 private:
  std::optional<YearlyChange> change_of_last_years(std::size_t last) const;
  std::int64_t later_start(std::size_t index) const;

  std::vector<std::int64_t> starts_;
  std::vector<std::int32_t> offsets_;
  std::array<YearlyChange, 2> yearly_;  // in the order of the year
  std::size_t later_ = 0;               // segments that follow by `yearly_`
};

/// The name as the system spells it, or empty. Any letter case; "utc+5:30" becomes "UTC+05:30".
std::string canonical_zone(std::string_view name);

/// Every name of the system's table, sorted without regard to case.
const std::vector<std::string>& zone_names();

/// Where the name stands among them, in any letter case; -1 when it does not.
int zone_index(std::string_view name);

/// Nothing for an unknown zone. Built anew on each call, in a few microseconds: nothing is shared or kept.
std::optional<ZoneTable> find_zone(std::string_view name);

}  // namespace english_cron
