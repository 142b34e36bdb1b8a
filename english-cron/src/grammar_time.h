// What the members of Grammar that read times share.
#pragma once

#include "lexer.h"

#include <string>

namespace english_cron {

inline constexpr int kNoon = 12 * 3600;  // seconds
inline constexpr int kDay = 24 * 3600;

inline bool is_past(const Token& token) { return token.is(Word::past) || token.is(Word::after); }
inline bool is_to(const Token& token) { return token.is(Word::to) || token.is(Word::before); }
inline bool is_number(const Token& token) { return token.is(Token::Kind::number) || token.is(Word::number); }

/// "17": the hours next to it are on the 24-hour clock as well.
inline bool is_24_hour(const Token& token) { return is_number(token) && token.value > 12; }

/// "09:05" of a second of the day.
inline std::string clock_text(int second) {
  const auto two = [](int v) { return std::string(v < 10 ? "0" : "") + std::to_string(v); };
  return two(second / 3600 % 24) + ":" + two(second / 60 % 60);
}

}  // namespace english_cron
