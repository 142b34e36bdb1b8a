// Phrase -> tokens. No allocation: a phrase has at most kMaxPhraseLength bytes.
#pragma once

#include "english_cron/translation.h"
#include "vocabulary.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace english_cron {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    word,
    number,
    ordinal,
    clock,
    minute,  // ":30"
    date,
    decimal,  // "1.5" of an interval; value: hundredths
    zone,
    offset,
    comma,
    semicolon,
    dash
  };
  // Without initializers: a list of tokens costs nothing until it is filled. Token{} is an `end`.
  Kind kind;
  Word word;   // of a word
  bool glued;  // nothing stands between it and the token before
  std::uint16_t offset;
  std::uint16_t length;
  int value;   // number; clock: second of the day; minute: of the hour; date: days since 1970; zone: index
               // into zone_names(); offset: minutes
  int digits;  // of a number
  const Entry* entry;

  bool is(Word wanted) const { return word == wanted; }
  bool is(Kind wanted) const { return kind == wanted; }
};

struct Tokens {
  std::array<Token, kMaxPhraseLength + 2> list;
  std::size_t count = 0;  // an `end` stands behind the last
};

/// Fails on the first word or character that means nothing here.
std::expected<void, PhraseError> tokenize(std::string_view phrase, Tokens& out);

}  // namespace english_cron
