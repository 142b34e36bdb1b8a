// Dates and timestamps by hand: fixed positions, no locale, no allocation.
#include "decode/convert.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace sluice::decode {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kMicros;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Two digits, or something over 99 when they are none.
unsigned two(const char* p) {
  const auto tens = static_cast<unsigned char>(p[0] - '0');
  const auto ones = static_cast<unsigned char>(p[1] - '0');
  return tens < 10 && ones < 10 ? tens * 10u + ones : 1000u;
}

unsigned four(const char* p) {
  const unsigned high = two(p);
  const unsigned low = two(p + 2);
  return high < 100 && low < 100 ? high * 100 + low : 100'000u;
}

constexpr std::array<unsigned char, 13> kDaysOfMonth = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

// Days since 1970-01-01 (the usual shifted-year arithmetic: March starts the year). False when no such day.
bool civil(unsigned year, unsigned month, unsigned day, std::int64_t& days) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kDaysOfMonth[month] + (month == 2 && leap ? 1u : 0u)) return false;
  const unsigned y = month <= 2 ? year - 1 : year;
  const unsigned era = y / 400;
  const unsigned of_era = y - era * 400;
  const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  days = static_cast<std::int64_t>(era) * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
  return true;
}

// YYYY-MM-DD or, with `separator` '/', YYYY/MM/DD.
bool year_first(const char* p, char separator, std::int64_t& days) {
  if (p[4] != separator || p[7] != separator) return false;
  return civil(four(p), two(p + 5), two(p + 8), days);
}

// Reads an offset at the end of a timestamp into minutes.
bool offset(std::string_view text, std::int64_t& minutes) {
  if (text == "Z" || text == "z") {
    minutes = 0;
    return true;
  }
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  const unsigned hours = two(text.data() + 1);
  unsigned rest = 0;
  if (text.size() == 6 && text[3] == ':') {
    rest = two(text.data() + 4);
  } else if (text.size() == 5) {
    rest = two(text.data() + 3);
  } else if (text.size() != 3) {
    return false;
  }
  if (hours > 18 || rest > 59) return false;
  minutes = static_cast<std::int64_t>(hours) * 60 + rest;
  if (text[0] == '-') minutes = -minutes;
  return true;
}

// Everything after "YYYY-MM-DD": micros of the day, the offset taken off. `cut`: there were digits beyond.
bool time_of_day(std::string_view text, std::int64_t& micros, bool& cut) {
  if (text.size() < 6 || (text[0] != 'T' && text[0] != ' ' && text[0] != 't') || text[3] != ':') return false;
  const unsigned hour = two(text.data() + 1);
  const unsigned minute = two(text.data() + 4);
  unsigned second = 0;
  std::int64_t fraction = 0;
  text.remove_prefix(6);
  if (text.size() >= 3 && text[0] == ':') {
    second = two(text.data() + 1);
    text.remove_prefix(3);
    if (text.size() >= 2 && (text[0] == '.' || text[0] == ',') && is_digit(text[1])) {
      std::int64_t unit = kMicros / 10;
      std::size_t i = 1;
      for (; i < text.size() && is_digit(text[i]); ++i, unit /= 10) {
        fraction += (text[i] - '0') * unit;
        cut = cut || (unit == 0 && text[i] != '0');
      }
      text.remove_prefix(i);
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  std::int64_t minutes = 0;
  if (!text.empty()) {
    if (text[0] == ' ') text.remove_prefix(1);
    if (!offset(text, minutes)) return false;
  }
  micros =
      (static_cast<std::int64_t>(hour) * 3600 + minute * 60 + second - minutes * 60) * kMicros + fraction;
  return true;
}

}  // namespace

Parsed<std::int64_t> parse_date(std::string_view text, Rule rule) {
  std::int64_t days = 0;
  const char* p = text.data();
  if (text.size() == 10 && year_first(p, '-', days)) return {days};
  text = without_blanks(text);
  p = text.data();
  if (text.size() == 10) {
    if (year_first(p, '-', days)) return {days};
    if (rule == Rule::declared) {
      if (year_first(p, '/', days)) return {days};
      if (p[2] == '.' && p[5] == '.' && civil(four(p + 6), two(p + 3), two(p), days)) return {days};
    }
  } else if (rule == Rule::declared) {
    if (text.size() == 8 && civil(four(p), two(p + 4), two(p + 6), days)) return {days};
    std::int64_t micros = 0;
    bool cut = false;
    if (text.size() > 10 && year_first(p, '-', days) && time_of_day(text.substr(10), micros, cut) &&
        micros == 0 && !cut) {
      return {days};
    }
  }
  return {0, Misfit::not_a_date};
}

Parsed<std::int64_t> parse_timestamp(std::string_view text, Rule rule) {
  std::int64_t days = 0;
  std::int64_t micros = 0;
  if (text.size() < 10 || is_blank(text.front()) || is_blank(text.back())) text = without_blanks(text);
  const char* const p = text.data();
  if (text.size() > 10 &&
      (year_first(p, '-', days) || (rule == Rule::declared && year_first(p, '/', days)))) {
    bool cut = false;
    if (time_of_day(text.substr(10), micros, cut) && (!cut || rule == Rule::declared))
      return {days * kDay + micros};
    return {0, Misfit::not_a_timestamp};
  }
  const auto date = parse_date(text, rule);
  if (!date) return {0, Misfit::not_a_timestamp};
  return {date.value * kDay};
}

std::string format_date(std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::string format_timestamp(std::int64_t micros) {
  std::int64_t days = micros / kDay;
  std::int64_t rest = micros % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const auto seconds = rest / kMicros;
  auto text =
      fmt::format("{}T{:02}:{:02}:{:02}", format_date(days), seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (rest % kMicros != 0) {
    text += fmt::format(".{:06}", rest % kMicros);
    while (text.back() == '0') text.pop_back();
  }
  return text + 'Z';
}

}  // namespace sluice::decode
