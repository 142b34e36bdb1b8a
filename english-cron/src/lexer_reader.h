// How a phrase is cut into tokens: words and zones (lexer.cpp), numbers, clocks and dates
// (lexer_numbers.cpp).
#pragma once

#include "letters.h"
#include "lexer.h"

namespace english_cron {

class Lexer {
 public:
  Lexer(std::string_view text, Tokens& out) : text_(text), out_(out) {}

  std::expected<void, PhraseError> run();

 private:
  char at(std::size_t ahead) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }

  bool skip_blanks();
  bool lists_before(std::size_t from) const;
  void refuse(std::size_t from, std::size_t to, std::string message, std::string suggestion = {});
  Token& push(Token::Kind kind, std::size_t from);
  std::size_t apostrophe() const;
  std::string_view read_letters(bool digits_too);
  void push_word(const Entry& entry, std::size_t from);
  static std::string spaced(std::string_view text);
  void read_word();
  bool read_city(std::size_t from);
  void push_zone(const std::string& name, std::size_t from);
  bool read_zone_path(std::size_t from);
  bool read_offset(std::size_t from);
  const Entry* read_hyphenated(std::string_view word);
  int read_digits(std::size_t most);
  bool read_decimal(std::size_t from, int whole);
  void read_number();
  void read_clock(std::size_t from, int hour);
  void read_date(std::size_t from, int year);
  void read_symbol();

  std::string_view text_;
  Tokens& out_;
  std::size_t pos_ = 0;
  std::size_t previous_end_ = 0;
  std::array<char, 48> buffer_{};
  bool ok_ = true;
  PhraseError error_;
};

}  // namespace english_cron
