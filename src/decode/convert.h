// Text -> typed values, and the canonical spellings of values. Pure; any thread.
//
// Three rules for what is accepted:
//   exact     what inference would give this type to in CSV, and nothing else: 42, 1.10, 1.5e3, true,
//             2024-01-31; a number may stand in quotes
//   literal   the same of a number in JSON, whose exponents need no point: 1E2
//   declared  every reasonable spelling: 007, +5, .5, 1e3, yes, 31.01.2024
// All ignore blanks around numbers, booleans, dates and timestamps. Exponents are exact: 1E2 is 100.
#pragma once

#include "model/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::decode {

enum class Rule : std::uint8_t { exact, literal, declared };

// Why a value did not fit.
enum class Misfit : std::uint8_t {
  none,
  not_a_number,
  out_of_range,       // beyond int64 or double, or more integer digits than the precision
  too_many_decimals,  // more fractional digits than the scale: never rounded in silence
  not_a_boolean,
  not_a_date,
  not_a_timestamp,
  not_json,
};
std::string_view code_of(Misfit misfit);  // stable word for rejects: "notANumber", "outOfRange", …

template <class T>
struct Parsed {
  T value{};
  Misfit misfit = Misfit::none;
  explicit operator bool() const { return misfit == Misfit::none; }
};

// exact: true, True, TRUE and false alike. declared: also 1/0, yes/no, y/n, t/f, on/off without case.
Parsed<bool> parse_boolean(std::string_view text, Rule rule);

// Whether the exponent of this number says anything under the rule. Not by exact in 1E5 and 12E3, which are
// part numbers as often; 1.5e3 and 1e-05 count.
bool exponent_counts(std::string_view text, Rule rule, char decimal = '.');

// exact: no leading zeros, no +, at most 18 digits. declared: whatever int64 holds, "5.0" included.
Parsed<std::int64_t> parse_int64(std::string_view text, Rule rule, char decimal = '.');

// All rules take plain numbers and exponents; finite values only. `decimal` is the decimal sign.
Parsed<double> parse_real(std::string_view text, char decimal = '.');

// The canonical text of a number without exponent (model/value.h), exact at any length. Points into `text`
// where only ends had to be cut, else into `scratch`. precision 0 = not stated; else digits beyond them do
// not fit. Exponents: results of up to 38 digits, of up to 100 before and 200 behind the point where
// declared.
struct DecimalLimits {
  int precision = 0;
  int scale = 0;
  char decimal = '.';
};
Parsed<std::string_view> parse_decimal(std::string_view text, Rule rule, DecimalLimits limits,
                                       std::string& scratch);

// Days since 1970-01-01, years 0001 to 9999. exact: YYYY-MM-DD. declared: also YYYY/MM/DD, YYYYMMDD,
// DD.MM.YYYY, and a timestamp without offset at midnight.
Parsed<std::int64_t> parse_date(std::string_view text, Rule rule);

// Microseconds since 1970-01-01T00:00Z: YYYY-MM-DD, then T or blank, HH:MM[:SS[.fraction]], then nothing (=
// UTC), Z or an offset (+02:00, +0200, +02). A date alone is its midnight. Digits after microseconds: exact
// takes zeros only, declared cuts them off.
Parsed<std::int64_t> parse_timestamp(std::string_view text, Rule rule);

// "2024-01-31" and "2024-01-31T09:30:00.25Z".
std::string format_date(std::int64_t days);
std::string format_timestamp(std::int64_t micros);

// Compact JSON with object keys sorted by bytes; of equal keys the last one stays. Numbers keep their
// spelling. Empty when the text is not one JSON value, or nested deeper than kJsonDepth.
inline constexpr int kJsonDepth = 256;
std::optional<std::string> canonical_json(std::string_view text);
// Appends the text as a JSON string with quotes, escaping only what must be.
void append_json_string(std::string& out, std::string_view text);

}  // namespace sluice::decode
