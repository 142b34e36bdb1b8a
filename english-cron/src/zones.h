// Zone names and their offsets, taken from date/tz once and kept as plain tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace english_cron {

/// Offsets of one zone from UTC, oldest first. Segment i holds from starts[i] up to starts[i + 1].
struct ZoneTable {
  std::vector<std::int64_t> starts;   // UTC seconds; the first is INT64_MIN / 4
  std::vector<std::int32_t> offsets;  // seconds east of UTC

  std::size_t segment_at(std::int64_t utc) const;
  std::int64_t segment_end(std::size_t segment) const;

  struct Resolved {
    std::int64_t utc;
    std::size_t segment;
    bool in_gap;
  };
  /// The first instant that shows the wall-clock time `local`; inside a gap, the gap's end.
  Resolved resolve(std::int64_t local) const;
};

/// The name as the system spells it, or empty. Any letter case; "utc+5:30" becomes "UTC+05:30".
std::string canonical_zone(std::string_view name);

/// Every name of the system's table, sorted without regard to case.
const std::vector<std::string>& zone_names();

/// Null for an unknown zone. Tables are shared while anyone holds them.
std::shared_ptr<const ZoneTable> find_zone(std::string_view name);

}  // namespace english_cron
