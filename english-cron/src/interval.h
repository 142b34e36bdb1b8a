// "Every 7 hours", "every 2 weeks": occurrences as a pure function of the anchor.
#pragma once

#include "english_cron/translation.h"
#include "zones.h"

#include <cstdint>

namespace english_cron {

/// Seconds of UTC in and out; kNoTime when there is none.
std::int64_t next_of(const Interval& every, const ZoneTable& zone, std::int64_t from);      // at or after
std::int64_t previous_of(const Interval& every, const ZoneTable& zone, std::int64_t from);  // at or before

/// The calendar period (local days, first included, last excluded) with which the interval filters crons.
struct Period {
  std::int64_t first_day;
  std::int64_t end_day;
};
/// The picked period that holds `day`, or else the nearest one after it (`forward`) or before it. first_day
/// == end_day: there is none.
Period period_at(const Interval& every, const ZoneTable& zone, std::int64_t day, bool forward);

}  // namespace english_cron
