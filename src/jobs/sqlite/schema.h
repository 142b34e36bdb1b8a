// The tables of data/jobs.db. Times are integer microseconds since 1970, states and origins their numbers.
#pragma once

#include <span>
#include <string_view>

namespace sluice::jobs {

// One text per schema version, oldest first. A version that was released is never edited.
std::span<const std::string_view> sqlite_schema_versions();

}  // namespace sluice::jobs
