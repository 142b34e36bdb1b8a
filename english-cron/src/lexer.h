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
    zone,
    offset,
    comma,
    semicolon,
    dash
  };
  Kind kind = Kind::end;
  Word word = Word::none;  // of a word
  bool glued = false;      // nothing stands between it and the token before
  std::uint16_t offset = 0;
  std::uint16_t length = 0;
  int value = 0;  // number; clock: second of the day; minute: of the hour; date: days since 1970; zone: index
                  // into zone_names(); offset: minutes
  int digits = 0;  // of a number
  const Entry* entry = nullptr;

  bool is(Word wanted) const { return word == wanted; }
  bool is(Kind wanted) const { return kind == wanted; }
};

struct Tokens {
  std::array<Token, kMaxPhraseLength + 2> list;
  std::size_t count = 0;  // the list continues with `end` tokens
};

/// Fails on the first word or character that means nothing here.
std::expected<void, PhraseError> tokenize(std::string_view phrase, Tokens& out);

}  // namespace english_cron
