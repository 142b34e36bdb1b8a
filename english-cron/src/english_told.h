// What several crons say together, when it has words of its own: "the 1st and 3rd monday", "the last 3 days".
#pragma once

#include "cron_fields.h"

#include <cstdint>
#include <memory_resource>
#include <vector>

namespace english_cron {

/// One cron, or several that differ in their days only and were put together. `nth` and `days_before_last`
/// may then hold more than the one day that a cron can.
struct Told : CronFields {
  std::uint32_t but_last = 0;  ///< all days without so many at the end of each month
  bool operator==(const Told&) const = default;
};

using Tolds = std::pmr::vector<Told>;

/// Puts together what has words as a whole; the union stays the same.
void put_together(Tolds& crons);

}  // namespace english_cron
