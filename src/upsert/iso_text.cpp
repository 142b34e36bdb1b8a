#include "upsert/iso_text.h"

#include "model/number.h"

#include <charconv>
#include <chrono>

namespace sluice::upsert {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
// Beyond these the microseconds leave 64 bits.
constexpr std::int64_t kMostDays = 100'000'000;
// Of a decimal, before the point and behind it.
constexpr std::int64_t kMostDigits = 2'000;

void two_digits(char*& at, std::int64_t value) {
  *at++ = static_cast<char>('0' + value / 10);
  *at++ = static_cast<char>('0' + value % 10);
}

char* put_date(std::int64_t days, char* at) {
  // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const std::int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0) {
    *at++ = '-';
    year = -year;
  }
  if (year > 9'999) {
    at = std::to_chars(at, at + 20, year).ptr;
  } else {
    two_digits(at, year / 100);
    two_digits(at, year % 100);
  }
  *at++ = '-';
  two_digits(at, month);
  *at++ = '-';
  two_digits(at, day);
  return at;
}

bool take_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  out = value;
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, std::int64_t& days) {
  const bool negative = take(text, '-');
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  int year = 0;
  int month = 0;
  int day = 0;
  // chrono::year holds 15 bits.
  if (digits < 4 || digits > 5 || !take_number(text, digits, year) || !take(text, '-') ||
      !take_number(text, 2, month) || !take(text, '-') || !take_number(text, 2, day)) {
    return false;
  }
  if (year > 32'767) return false;
  const std::chrono::year_month_day date(std::chrono::year(negative ? -year : year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return false;
  days = std::chrono::sys_days(date).time_since_epoch().count();
  return true;
}

// ".25" as microseconds; digits past the sixth must be zeros.
bool take_fraction(std::string_view& text, std::int64_t& micros) {
  micros = 0;
  std::int64_t unit = 100'000;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    const int digit = text[digits++] - '0';
    if (unit == 0 && digit != 0) return false;
    micros += digit * unit;
    unit /= 10;
  }
  text.remove_prefix(digits);
  return digits > 0;
}

bool take_offset(std::string_view& text, std::int64_t& minutes) {
  minutes = 0;
  if (text.empty() || take(text, 'Z')) return true;
  const bool minus = text.front() == '-';
  if (!minus && text.front() != '+') return false;
  text.remove_prefix(1);
  int hour = 0;
  int minute = 0;
  if (!take_number(text, 2, hour)) return false;
  take(text, ':');
  if (!text.empty() && !take_number(text, 2, minute)) return false;
  minutes = (minus ? -1 : 1) * (hour * 60 + minute);
  return hour < 24 && minute < 60;
}

}  // namespace

std::string_view write_date(std::int64_t days, std::array<char, 40>& buffer) {
  return {buffer.data(), put_date(days, buffer.data())};
}

std::string_view write_timestamp(std::int64_t micros, std::array<char, 40>& buffer) {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  char* at = put_date(days, buffer.data());
  *at++ = 'T';
  const std::int64_t seconds = rest / 1'000'000;
  two_digits(at, seconds / 3600);
  *at++ = ':';
  two_digits(at, seconds / 60 % 60);
  *at++ = ':';
  two_digits(at, seconds % 60);
  if (std::int64_t fraction = rest % 1'000'000; fraction != 0) {
    *at++ = '.';
    for (std::int64_t unit = 100'000; fraction != 0; unit /= 10) {
      *at++ = static_cast<char>('0' + fraction / unit);
      fraction %= unit;
    }
  }
  *at++ = 'Z';
  return {buffer.data(), at};
}

bool read_timestamp(std::string_view text, std::int64_t& micros) {
  std::int64_t days = 0;
  if (!take_date(text, days)) return false;
  if (days > kMostDays || days < -kMostDays) return false;
  micros = days * kMicrosPerDay;
  if (text.empty()) return true;
  if (!take(text, 'T') && !take(text, ' ')) return false;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t fraction = 0;
  std::int64_t offset = 0;
  if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) return false;
  if (take(text, ':') && !take_number(text, 2, second)) return false;
  if (take(text, '.') && !take_fraction(text, fraction)) return false;
  if (!take_offset(text, offset) || !text.empty()) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  micros += ((hour * 60LL + minute - offset) * 60 + second) * 1'000'000 + fraction;
  return true;
}

bool read_date(std::string_view text, std::int64_t& days) {
  std::string_view rest = text;
  if (!take_date(rest, days)) return false;
  if (rest.empty()) return true;
  std::int64_t micros = 0;
  return read_timestamp(text, micros) && micros == days * kMicrosPerDay;
}

bool canonical_decimal(std::string_view text, std::string& out) {
  const auto number = parse_number(text);
  if (!number || number->integer_digits() > kMostDigits || number->fraction_digits() > kMostDigits)
    return false;
  out = plain_text(*number);
  return true;
}

}  // namespace sluice::upsert
