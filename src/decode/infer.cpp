#include "decode/infer.h"

#include "decode/convert.h"

#include <algorithm>

namespace sluice::decode {
namespace {

constexpr std::size_t kLongestInteger = 18;
constexpr std::size_t kLongestDecimal = 38;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Kind number_kind(std::string_view text, char decimal) {
  std::size_t i = text.front() == '-' ? 1 : 0;
  const auto run = [&] {
    const auto begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  const auto first = i;
  const auto integer = run();
  if (integer == 0 || (integer > 1 && text[first] == '0')) return {};
  std::size_t fraction = 0;
  if (i < text.size() && text[i] == decimal) {
    ++i;
    fraction = run();
    if (fraction == 0) return {};
  }
  if (i == text.size()) {
    if (fraction == 0) {
      if (integer > kLongestInteger) return {};
      return {ValueType::int64, static_cast<int>(integer), 0};
    }
    if (integer + fraction > kLongestDecimal) return {};
    return {ValueType::decimal, text[first] == '0' ? 0 : static_cast<int>(integer),
            static_cast<int>(fraction)};
  }
  if ((text[i] == 'e' || text[i] == 'E') && parse_real(text, decimal)) return {ValueType::real};
  return {};
}

// 03/04/05, 3.4.2005, 03-04-05: a date to people, but which one depends on where they live.
bool ambiguous_date(std::string_view text) {
  if (text.size() < 6 || text.size() > 10 || !is_digit(text.front()) || !is_digit(text.back())) return false;
  int groups = 1;
  char separator = 0;
  for (const char c : text) {
    if (is_digit(c)) continue;
    if (c != '/' && c != '.' && c != '-') return false;
    if (separator != 0 && c != separator) return false;
    separator = c;
    ++groups;
  }
  return groups == 3;
}

}  // namespace

Kind kind_of(std::string_view text, bool quoted, char decimal) {
  text = without_blanks(text);
  if (text.empty()) return {};
  const char c = text.front();
  if (is_digit(c) && text.size() >= 10 && text[4] == '-') {
    if (text.size() == 10) return parse_date(text, Rule::exact) ? Kind{ValueType::date} : Kind{};
    return parse_timestamp(text, Rule::exact) ? Kind{ValueType::timestamp} : Kind{};
  }
  if (quoted) return {};
  if (is_digit(c) || c == '-') return number_kind(text, decimal);
  if (parse_boolean(text, Rule::exact)) return {ValueType::boolean};
  return {};
}

ValueType join(ValueType a, ValueType b) {
  if (a == b) return a;
  const auto both = [&](ValueType x, ValueType y) { return (a == x && b == y) || (a == y && b == x); };
  if (both(ValueType::int64, ValueType::decimal)) return ValueType::decimal;
  if (both(ValueType::int64, ValueType::real)) return ValueType::real;
  if (both(ValueType::decimal, ValueType::real)) return ValueType::real;
  if (both(ValueType::date, ValueType::timestamp)) return ValueType::timestamp;
  return ValueType::text;
}

void Inference::add_text(std::string_view text, bool quoted, char decimal) {
  if (text.empty()) {
    if (quoted) {
      blank_seen_ = true;
    } else {
      nullable_ = true;
    }
    return;
  }
  const auto kind = kind_of(text, quoted, decimal);
  if (kind.type == ValueType::text && !ambiguous_date_)
    ambiguous_date_ = ambiguous_date(without_blanks(text));
  add(kind);
}

void Inference::add(Kind kind) {
  if (!seen_) {
    kind_ = kind;
    seen_ = true;
    return;
  }
  kind_.type = join(kind_.type, kind.type);
  kind_.integer_digits = std::max(kind_.integer_digits, kind.integer_digits);
  kind_.scale = std::max(kind_.scale, kind.scale);
}

void Inference::add_observed(const Observed& observed) {
  nullable_ = nullable_ || observed.nullable;
  if (observed.all_null) return;
  // A decimal without stated precision joins as one that holds everything.
  add({observed.type, observed.precision - observed.scale, observed.scale});
}

Observed Inference::result(std::string_view name) const {
  Observed observed;
  observed.name = name;
  observed.nullable = nullable_ || !seen_ || (blank_seen_ && kind_.type != ValueType::text);
  observed.all_null = !seen_ && !blank_seen_;
  observed.type = seen_ ? kind_.type : ValueType::text;
  if (observed.type == ValueType::decimal) {
    observed.precision = std::max(1, kind_.integer_digits + kind_.scale);
    observed.scale = kind_.scale;
    // Integers of 18 digits joined with long fractions: no database keeps that many digits.
    if (observed.precision > static_cast<int>(kLongestDecimal)) observed.type = ValueType::text;
  }
  if (observed.type != ValueType::decimal) observed.precision = observed.scale = 0;
  if (observed.type == ValueType::text && ambiguous_date_) {
    observed.note =
        "looks like a date, but day, month and year cannot be told apart; declare it as date or text";
  }
  return observed;
}

}  // namespace sluice::decode
