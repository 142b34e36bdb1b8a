#include "english_text.h"

#include "vocabulary.h"

#include <array>
#include <charconv>

namespace english_cron {
namespace {

void append_weekdays(std::string& out, std::uint8_t bits) {
  if (bits == 0b0111110) {
    out += "weekdays";
  } else if (bits == 0b1000001) {
    out += "weekends";
  } else {
    append_names(out, bits, [](std::string& to, int v) { to += weekday_name(v); });
  }
}

// "the 2nd friday of the month", "monday and thursday"
void append_week(std::string& out, const CronFields& cron) {
  std::uint64_t places = 0;
  std::uint8_t weekdays = 0;
  for (std::size_t k = 1; k <= 5; ++k) {
    if (cron.nth[k] != 0) places |= std::uint64_t{1} << k, weekdays = cron.nth[k];
  }
  if (places != 0) {
    out += "the ";
    append_names(out, places, [](std::string& to, int v) { to += ordinal_text(v); }, 6);
    out += ' ';
    append_names(out, weekdays, [](std::string& to, int v) { to += weekday_name(v); }, 8);
    out += " of the month";
    return;
  }
  if (cron.last_weekdays != 0) {
    out += "the last ";
    out += weekday_name(std::countr_zero(cron.last_weekdays));
    out += " of the month";
  } else {
    append_weekdays(out, cron.weekdays);
  }
}

// " except the last 3 days of the month"
void append_but_last(std::string& out, const Told& cron) {
  out += " except the last ";
  if (cron.but_last == 7 && std::popcount(cron.weekdays) == 1) {
    out += weekday_name(std::countr_zero(cron.weekdays));
  } else if (cron.but_last == 1) {
    out += "day";
  } else {
    append_number(out, cron.but_last);
    out += " days";
  }
  out += " of the month";
}

constexpr std::uint32_t kOddDays = 0xAAAAAAAAU;
constexpr std::uint32_t kEvenDays = 0x55555554U;

}  // namespace

void append_clock(std::string& out, std::int64_t second) {
  const auto two_digits = [&out](std::int64_t value) {
    out += static_cast<char>('0' + value / 10);
    out += static_cast<char>('0' + value % 10);
  };
  two_digits(second / 3600);
  out += ':';
  two_digits(second / 60 % 60);
  if (second % 60 == 0) return;
  out += ':';
  two_digits(second % 60);
}
void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_joint(std::string& out, std::size_t index, std::size_t count) {
  if (index > 0) out += index + 1 == count ? " and " : ", ";
}

void append_numbers(std::string& out, std::uint64_t bits, bool ranges, bool pairs) {
  const Values values = values_of(bits);
  if (const int step = ranges && values.size() >= (pairs ? 2 : 3) ? step_of(values) : 0; step > 0) {
    append_number(out, values.front());
    out += " through ";
    append_number(out, values.back());
    if (step == 1) return;
    out += " in steps of ";
    append_number(out, step);
    return;
  }
  if (ranges) {
    append_names(out, bits, [](std::string& to, int v) { append_number(to, v); }, 2);
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    append_joint(out, i, values.size());
    append_number(out, values[i]);
  }
}

void append_unit(std::string& out, int n, std::string_view unit) {
  out += "every ";
  if (n != 1) {
    append_number(out, n);
    out += ' ';
  }
  out += unit;
  if (n != 1) out += 's';
}

void append_step(std::string& out, int minutes) {
  if (minutes % 60 == 0) return append_unit(out, minutes / 60, "hour");
  append_unit(out, minutes, "minute");
}

bool has_day_words(const Told& cron) { return !cron.any_day || !cron.any_weekday || cron.months != 0x1FFE; }

bool append_days(std::string& out, const Told& cron) {
  if (cron.any_day) {
    if (!cron.any_weekday) {
      out += " on ";
      append_week(out, cron);
    }
    if (cron.but_last != 0) append_but_last(out, cron);
  } else {
    if (cron.days != 0) {
      if (cron.days == kOddDays || cron.days == kEvenDays) {
        out += cron.days == kOddDays ? " on odd days" : " on even days";
      } else {
        out += " on the ";
        append_names(out, cron.days, [](std::string& to, int v) { to += ordinal_text(v); });
      }
      out += " of the month";
    } else if (std::popcount(cron.days_before_last) > 1) {
      out += " on the last ";
      append_number(out, std::popcount(cron.days_before_last));
      out += " days of the month";
    } else if (cron.days_before_last == 1) {
      out += " on the last day of the month";
    } else if (cron.days_before_last != 0) {
      const int n = std::countr_zero(cron.days_before_last);
      out += ", " + std::to_string(n) + (n == 1 ? " day" : " days") + " before the end of the month";
    } else if (cron.last_nearest == 1) {
      out += " on the last weekday of the month";
    } else if (cron.nearest != 0) {
      out += " on the weekday nearest the " + ordinal_text(std::countr_zero(cron.nearest)) + " of the month";
    } else {
      return false;
    }
    if (!cron.any_weekday) {
      out += " if it is ";
      if (cron.weekdays == 0b0111110 || cron.weekdays == 0b1000001) {
        out += cron.weekdays == 0b0111110 ? "a weekday" : "a weekend";
      } else {
        append_week(out, cron);
      }
    }
  }
  if (cron.months != 0x1FFE) {
    out += " in ";
    append_names(out, cron.months, [](std::string& to, int v) { to += month_name(v); });
  }
  return true;
}

}  // namespace english_cron
