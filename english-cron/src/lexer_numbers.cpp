// Numbers, clock times, dates and offsets of a phrase.
#include "lexer_reader.h"

#include <chrono>

namespace english_cron {

// The "+5:30" of "UTC+5:30"; false when none follows.
bool Lexer::read_offset(std::size_t from) {
  std::size_t look = 0;
  while (at(look) == ' ' && at(look + 1) == '+') ++look;
  const bool minus_sign = at(look) == '\xE2' && at(look + 1) == '\x88' && at(look + 2) == '\x92';
  const std::size_t width = minus_sign ? 3 : 1;
  if ((at(look) != '+' && at(look) != '-' && !minus_sign) || !is_digit(at(look + width))) return false;
  const int sign = at(look) == '+' ? 1 : -1;
  pos_ += look + width;
  const std::size_t start = pos_;
  int value = 0;
  while (is_digit(at(0)) && pos_ - start < 5) value = value * 10 + (text_[pos_++] - '0');
  const std::size_t digits = pos_ - start;
  int minutes = value * 60;
  if (digits > 2) minutes = value / 100 * 60 + value % 100;
  bool fine = digits == 1 || digits == 2 || digits == 4;
  if (at(0) == ':' && is_digit(at(1)) && is_digit(at(2)) && digits <= 2) {
    minutes += (at(1) - '0') * 10 + (at(2) - '0');
    fine = fine && at(1) < '6';
    pos_ += 3;
  }
  if (!fine || minutes > 14 * 60) {
    refuse(from, pos_, "not an offset from UTC: expected UTC+h or UTC+hh:mm, up to 14 hours", "UTC+2");
    return true;
  }
  push(Token::Kind::offset, from).value = sign * minutes;
  return true;
}

int Lexer::read_digits(std::size_t most) {
  int value = 0;
  for (std::size_t i = 0; i < most && is_digit(at(0)); ++i) value = value * 10 + (text_[pos_++] - '0');
  return value;
}

// "every 1.5 hours", "2.5h", "every .5 hours": a part of a number, where no time of day can stand.
bool Lexer::read_decimal(std::size_t from, int whole) {
  std::size_t digits = 0;
  while (is_digit(at(1 + digits))) ++digits;
  const bool after_every = out_.count > 0 && out_.list[out_.count - 1].word == Word::every;
  const bool head = out_.count == 0 && digits == 1;
  std::size_t next = 1 + digits;
  while (at(next) == ' ' || at(next) == '-') ++next;
  if ((!after_every && !head) || digits > 2 || whole > 10000 || !is_letter(at(next))) return false;
  ++pos_;
  const int part = read_digits(2);
  push(Token::Kind::decimal, from).value = whole * 100 + (digits == 1 ? part * 10 : part);
  return true;
}

void Lexer::read_number() {
  const std::size_t from = pos_;
  const int value = read_digits(9);
  const auto digits = static_cast<int>(pos_ - from);
  if (is_digit(at(0))) {
    while (is_digit(at(0))) ++pos_;
    refuse(from, pos_, "the number is too large");
    return;
  }
  if (digits == 4 && at(0) == '-' && is_digit(at(1)) && is_digit(at(2)) && at(3) == '-') {
    read_date(from, value);
    return;
  }
  if (at(0) == '.' && is_digit(at(1)) && read_decimal(from, value)) return;
  const bool clock = digits <= 2 && is_digit(at(1)) && is_digit(at(2)) &&
                     (at(0) == ':' || (at(0) == '.' && !is_digit(at(3))));
  if (clock) {
    read_clock(from, value);
    return;
  }
  const bool fraction = at(0) == '/' && value < 100 && at(1) >= '1' && at(1) <= '9' && !is_digit(at(2)) &&
                        at(2) != '/' && out_.count > 0 && out_.list[out_.count - 1].word == Word::every;
  if (fraction && value * 100 % (at(1) - '0') == 0) {  // "every 1/2 hour"
    const int hundredths = value * 100 / (at(1) - '0');
    pos_ += 2;
    push(Token::Kind::decimal, from).value = hundredths;
    return;
  }
  if (at(0) == '/' && is_digit(at(1))) {
    while (is_digit(at(0)) || at(0) == '/') ++pos_;
    refuse(from, pos_, "a date with slashes is ambiguous: write the month's name, or YYYY-MM-DD",
           "2026-04-03");
    return;
  }
  if (at(0) == ':' || (at(0) == '.' && is_digit(at(1)))) {
    while (is_digit(at(0)) || at(0) == ':' || at(0) == '.') ++pos_;
    refuse(from, pos_, "expected a time as HH:MM or a whole number", "09:30");
    return;
  }
  const bool french = digits <= 2 && lower(at(0)) == 'h' && is_digit(at(1)) && is_digit(at(2)) &&
                      !is_digit(at(3)) && !is_letter(at(3));
  if (french) {  // "17h30"
    read_clock(from, value);
    return;
  }
  const std::size_t number_end = pos_;
  const std::array<char, 2> suffix{lower(at(0)), lower(at(1))};
  const std::string_view tail(suffix.data(), 2);
  if ((tail == "st" || tail == "nd" || tail == "rd" || tail == "th") && !is_letter(at(2))) {
    pos_ += 2;
    push(Token::Kind::ordinal, from).value = value;
    return;
  }
  pos_ = number_end;
  Token& token = push(Token::Kind::number, from);
  token.value = value;
  token.digits = digits;
}

void Lexer::read_clock(std::size_t from, int hour) {
  ++pos_;
  const int minute = read_digits(2);
  int second = 0;
  if (at(0) == ':' && is_digit(at(1)) && is_digit(at(2))) {
    ++pos_;
    second = read_digits(2);
  }
  if (is_digit(at(0)) || hour > 24 || minute > 59 || second > 59 || (hour == 24 && minute + second > 0)) {
    while (is_digit(at(0))) ++pos_;
    refuse(from, pos_, "not a time of day: hours go to 23, minutes and seconds to 59", "23:59");
    return;
  }
  Token& token = push(Token::Kind::clock, from);
  token.value = hour % 24 * 3600 + minute * 60 + second;
}

void Lexer::read_date(std::size_t from, int year) {
  ++pos_;
  const int month = read_digits(2);
  ++pos_;
  const int day = read_digits(2);
  const auto date = std::chrono::year(year) / month / day;
  if (!date.ok() || is_digit(at(0)) || year < 1970) {
    refuse(from, pos_, "not a date of the calendar from 1970 on: expected YYYY-MM-DD", "2026-01-05");
    return;
  }
  if (lower(at(0)) == 't' && is_digit(at(1))) ++pos_;
  push(Token::Kind::date, from).value =
      static_cast<int>(std::chrono::sys_days(date).time_since_epoch().count());
}

}  // namespace english_cron
