#include "diff/decimal_key.h"

#include <algorithm>
#include <cstdint>

namespace sluice::diff {
namespace {

constexpr char kNegative = 0;
constexpr char kZero = 1;
constexpr char kPositive = 2;
constexpr std::int64_t kBias = 1ll << 31;
// Stored keys are far shorter; a damaged magnitude must not ask for gigabytes of zeros.
constexpr std::int64_t kMostZeros = 1 << 20;

}  // namespace

void append_decimal(std::string_view text, std::string& out) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  if (point < text.size()) digits += text.substr(point + 1);
  const auto first = digits.find_first_not_of('0');
  if (first == std::string::npos) {
    out.push_back(kZero);
    return;
  }
  const auto power = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  digits.erase(digits.find_last_not_of('0') + 1);
  digits.erase(0, first);
  out.push_back(negative ? kNegative : kPositive);
  const auto begin = out.size();
  const auto magnitude = static_cast<std::uint32_t>(power + kBias);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(magnitude >> shift));
  out += digits;
  out.push_back('\0');
  if (negative) {
    for (std::size_t i = begin; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
  }
}

bool take_decimal(std::string_view& bytes, std::string& text) {
  if (bytes.empty()) return false;
  const char sign = bytes[0];
  bytes.remove_prefix(1);
  if (sign == kZero) {
    text += '0';
    return true;
  }
  if (sign != kNegative && sign != kPositive) return false;
  const char flip = sign == kNegative ? '\xff' : '\0';
  const auto end = bytes.size() < 4 ? std::string_view::npos : bytes.find(flip, 4);
  if (end == std::string_view::npos || end == 4) return false;
  std::uint32_t magnitude = 0;
  for (std::size_t i = 0; i < 4; ++i) magnitude = magnitude << 8 | static_cast<std::uint8_t>(bytes[i] ^ flip);
  std::string digits;
  for (const char byte : bytes.substr(4, end - 4)) {
    const char digit = static_cast<char>(byte ^ flip);
    if (digit < '0' || digit > '9') return false;
    digits.push_back(digit);
  }
  if (digits.front() == '0' || digits.back() == '0') return false;
  bytes.remove_prefix(end + 1);

  const auto power = static_cast<std::int64_t>(magnitude) - kBias;
  const auto count = static_cast<std::int64_t>(digits.size());
  if (power > count + kMostZeros || power < -kMostZeros) return false;
  if (sign == kNegative) text += '-';
  if (power <= 0) {
    text += "0.";
    text.append(static_cast<std::size_t>(-power), '0');
    text += digits;
  } else if (power >= count) {
    text += digits;
    text.append(static_cast<std::size_t>(power - count), '0');
  } else {
    text += digits.substr(0, static_cast<std::size_t>(power)) + "." +
            digits.substr(static_cast<std::size_t>(power));
  }
  return true;
}

}  // namespace sluice::diff
