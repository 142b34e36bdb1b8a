// Dates, timestamps and decimals as text, there and back.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::upsert {

// 2026-01-05. Days since 1970-01-01; years past 9999 get more digits, before year 0 a minus.
std::string_view write_date(std::int64_t days, std::array<char, 40>& buffer);
// 2026-01-05T09:30:00.25Z. Microseconds since 1970-01-01T00:00Z; a fraction only where there is one.
std::string_view write_timestamp(std::int64_t micros, std::array<char, 40>& buffer);

// Also what other programs write: a space for the T, no seconds, an offset (none = UTC), a date alone.
bool read_timestamp(std::string_view text, std::int64_t& micros);
// A date, or a timestamp at midnight.
bool read_date(std::string_view text, std::int64_t& days);

// "+001.50e1" -> "15": the canonical form of model/value.h. False when it is not a number.
bool canonical_decimal(std::string_view text, std::string& out);

}  // namespace sluice::upsert
