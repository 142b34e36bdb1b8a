#include "history/row_json.h"

#include "base/clock.h"
#include "history/json_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>

namespace sluice::history {
namespace {

constexpr std::int64_t kExactInteger = 9'007'199'254'740'992;  // 2^53
constexpr std::size_t kExactDigits = 15;

// Length of the valid UTF-8 sequence at the front, 0 when there is none (Unicode 15, table 3-7).
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return size;
}

void append_real(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

// A day count that the calendar cannot show (a foreign value in the table) is shown as a number.
bool in_calendar(std::chrono::microseconds time) {
  return std::chrono::abs(time) < std::chrono::days(3'000'000);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = sequence(text);
    const char c = text.front();
    if (size == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.append(text, 0, size);
    }
    text.remove_prefix(size);
  }
  out += '"';
}

void append_json(std::string& out, const ColumnData& column, std::size_t row) {
  if (column.null[row] != 0) {
    out += "null";
    return;
  }
  switch (column.type) {
    case ValueType::boolean:
      out += column.fixed[row] != 0 ? "true" : "false";
      break;
    case ValueType::int64: {
      const std::int64_t value = column.fixed[row];
      const bool exact = value <= kExactInteger && value >= -kExactInteger;
      fmt::format_to(std::back_inserter(out), exact ? fmt::runtime("{}") : fmt::runtime("\"{}\""), value);
      break;
    }
    case ValueType::real:
      append_real(out, std::bit_cast<double>(column.fixed[row]));
      break;
    case ValueType::date: {
      const std::int64_t days = column.fixed[row];
      if (days > 3'000'000 || days < -3'000'000) {
        out += std::to_string(days);
        break;
      }
      out += '"';
      out += format_utc(Timestamp(std::chrono::days(days))).substr(0, 10);
      out += '"';
      break;
    }
    case ValueType::timestamp: {
      const std::chrono::microseconds time(column.fixed[row]);
      if (column.fixed[row] == INT64_MIN || !in_calendar(time)) {
        out += std::to_string(column.fixed[row]);
        break;
      }
      out += '"';
      out += format_utc(Timestamp(time));
      out += '"';
      break;
    }
    case ValueType::decimal: {
      const std::string_view text = column.bytes[row];
      const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
      const bool number = !text.empty() && text.find_first_not_of("-.0123456789") == std::string_view::npos;
      if (number && static_cast<std::size_t>(digits) <= kExactDigits) {
        out += text;
      } else {
        append_json_string(out, text);
      }
      break;
    }
    case ValueType::text:
      append_json_string(out, column.bytes[row]);
      break;
    case ValueType::json:
      // Compact JSON by contract; what somebody else wrote into the table may be anything.
      if (const std::string_view text = column.bytes[row]; is_json(text)) {
        out += text;
      } else {
        append_json_string(out, text);
      }
      break;
  }
}

void append_key_json(std::string& out, const RowBatch& batch, std::size_t row) {
  out += '{';
  const Schema& schema = batch.schema();
  for (std::size_t i = 0; i < schema.key.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, schema.columns[schema.key[i]].name);
    out += ':';
    append_json(out, batch.columns()[schema.key[i]], row);
  }
  out += '}';
}

}  // namespace sluice::history
