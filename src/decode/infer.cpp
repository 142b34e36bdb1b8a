#include "decode/infer.h"

#include "decode/convert.h"
#include "model/number.h"

#include <algorithm>

namespace sluice::decode {
namespace {

constexpr std::size_t kLongestInteger = 18;
constexpr std::size_t kLongestDecimal = 38;
constexpr std::size_t kAlwaysInDouble = 15;

constexpr std::string_view kAmbiguousDate =
    "looks like a date, but day, month and year cannot be told apart; declare it as date or text";
constexpr std::string_view kExponentOnly =
    "looks like numbers with exponents, or like part numbers (1E5): declare decimal or double if they are "
    "numbers";

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Digits in all, as the types count them: 0.05 has two, 0 none before the point.
Kind decimal_kind(int integer_digits, int scale) {
  Kind kind{ValueType::decimal, integer_digits, scale};
  kind.has_point = true;
  return kind;
}

// What numbers of SQL and of IEEE 754 hold of it: quick for up to 15 digits.
Kind with_fit(Kind kind, std::size_t digits, std::string_view text, char decimal) {
  if (digits <= kAlwaysInDouble) return kind;
  const auto number = parse_number(text, decimal);
  kind.in_double = number && double_holds(*number);
  kind.wide = !kind.in_double && !(number && sql_number_holds(*number));
  return kind;
}

// A number with an exponent is what its value is.
Kind exponent_kind(std::string_view text, char decimal) {
  const auto number = parse_number(text, decimal);
  if (!number) return {};
  const auto integer = number->integer_digits();
  const auto fraction = number->fraction_digits();
  Kind kind;
  kind.in_double = double_holds(*number);
  kind.wide = !kind.in_double && !sql_number_holds(*number);
  if (fraction == 0 && integer <= static_cast<std::int64_t>(kLongestInteger)) {
    kind.type = ValueType::int64;
    kind.integer_digits = std::max(1, static_cast<int>(integer));
  } else if (integer + fraction <= static_cast<std::int64_t>(kLongestDecimal)) {
    kind.type = ValueType::decimal;
    kind.integer_digits = static_cast<int>(integer);
    kind.scale = static_cast<int>(fraction);
  } else if (kind.in_double) {
    kind.type = ValueType::real;
  } else {
    return {};
  }
  return kind;
}

Kind number_kind(std::string_view text, Written written, char decimal) {
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
      return with_fit({ValueType::int64, static_cast<int>(integer), 0}, integer, text, decimal);
    }
    if (integer + fraction > kLongestDecimal) return {};
    return with_fit(
        decimal_kind(text[first] == '0' ? 0 : static_cast<int>(integer), static_cast<int>(fraction)),
        integer + fraction, text, decimal);
  }
  if (!exponent_counts(text, written == Written::literal ? Rule::literal : Rule::exact, decimal)) return {};
  auto kind = exponent_kind(text, decimal);
  kind.has_point = fraction > 0;
  kind.needs_point = written != Written::literal && fraction == 0;
  if (kind.needs_point && kind.type == ValueType::int64) kind.type = ValueType::decimal;
  return kind;
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

Kind kind_of(std::string_view text, Written written, char decimal) {
  text = without_blanks(text);
  if (text.empty()) return {};
  const char c = text.front();
  if (is_digit(c) && text.size() >= 10 && text[4] == '-') {
    if (text.size() == 10) return parse_date(text, Rule::exact) ? Kind{ValueType::date} : Kind{};
    return parse_timestamp(text, Rule::exact) ? Kind{ValueType::timestamp} : Kind{};
  }
  if (written == Written::quoted || written == Written::string) return {};
  if (is_digit(c) || c == '-') return number_kind(text, written, decimal);
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

void Inference::add_text(std::string_view text, Written written, char decimal) {
  if (text.empty()) {
    if (written == Written::quoted || written == Written::string) {
      blank_seen_ = true;
    } else {
      nullable_ = true;
    }
    return;
  }
  const auto kind = kind_of(text, written, decimal);
  if (note_.empty() && (kind.type == ValueType::text || kind.needs_point)) {
    const auto bare = without_blanks(text);
    if (ambiguous_date(bare)) note_ = kAmbiguousDate;
    const bool exponent = bare.find_first_of("eE") != std::string_view::npos;
    if (written == Written::plain && exponent && parse_real(bare, decimal)) note_ = kExponentOnly;
  }
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
  kind_.in_double = kind_.in_double && kind.in_double;
  kind_.wide = kind_.wide || kind.wide;
  kind_.has_point = kind_.has_point || kind.has_point;
  kind_.needs_point = kind_.needs_point || kind.needs_point;
}

void Inference::add_observed(const Observed& observed) {
  nullable_ = nullable_ || observed.nullable;
  if (observed.all_null) return;
  // A decimal without stated precision joins as one that holds everything.
  Kind kind{observed.type, observed.precision - observed.scale, observed.scale};
  if (observed.type == ValueType::int64) kind.integer_digits = static_cast<int>(kLongestInteger);
  kind.in_double = observed.in_double;
  kind.wide = observed.wide;
  kind.has_point = observed.type == ValueType::decimal || observed.type == ValueType::real;
  add(kind);
}

Observed Inference::result(std::string_view name) const {
  Observed observed;
  observed.name = name;
  observed.nullable = nullable_ || !seen_ || (blank_seen_ && kind_.type != ValueType::text);
  observed.all_null = !seen_ && !blank_seen_;
  observed.type = seen_ ? kind_.type : ValueType::text;
  observed.in_double = kind_.in_double;
  if (kind_.needs_point && !kind_.has_point) observed.type = ValueType::text;
  if (observed.type == ValueType::decimal) {
    observed.precision = std::max(1, kind_.integer_digits + kind_.scale);
    observed.scale = kind_.scale;
    observed.wide = kind_.wide;
    // Large numbers beside small ones: no decimal keeps that many digits.
    if (observed.precision > static_cast<int>(kLongestDecimal)) observed.type = ValueType::real;
  }
  if (observed.type == ValueType::real && !kind_.in_double) observed.type = ValueType::text;
  if (observed.type != ValueType::decimal) {
    observed.precision = observed.scale = 0;
    observed.wide = false;
  }
  if (observed.type == ValueType::text) observed.note = note_;
  return observed;
}

}  // namespace sluice::decode
