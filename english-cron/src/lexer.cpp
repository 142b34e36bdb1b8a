// Words, zones and signs of a phrase.
#include "cities.h"
#include "lexer_reader.h"
#include "zones.h"

#include <algorithm>

namespace english_cron {

std::expected<void, PhraseError> Lexer::run() {
  while (ok_ && skip_blanks()) {
    const char c = at(0);
    if (is_letter(c) || (c == '\xC3' && find_city(text_.substr(pos_)).length > 0)) {
      read_word();
    } else if (is_digit(c)) {
      read_number();
    } else {
      read_symbol();
    }
    previous_end_ = pos_;
  }
  if (!ok_) return std::unexpected(std::move(error_));
  Token end{};
  end.offset = static_cast<std::uint16_t>(text_.size());
  out_.list[out_.count] = end;
  return {};
}

bool Lexer::skip_blanks() {
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    const bool no_break_space = c == '\xC2' && at(1) == '\xA0';
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && !no_break_space) return true;
    pos_ += no_break_space ? 2 : 1;
  }
  return false;
}

void Lexer::refuse(std::size_t from, std::size_t to, std::string message, std::string suggestion) {
  if (!ok_) return;
  ok_ = false;
  error_ = {from, to - from, std::move(message), std::move(suggestion)};
}

Token& Lexer::push(Token::Kind kind, std::size_t from) {
  Token& token = out_.list[out_.count++];
  token = Token{};
  token.kind = kind;
  token.offset = static_cast<std::uint16_t>(from);
  token.length = static_cast<std::uint16_t>(pos_ - from);
  token.glued = from == previous_end_ && from > 0;
  return token;
}

// Bytes of an apostrophe here: ' or the typographic one.
std::size_t Lexer::apostrophe() const {
  if (at(0) == '\'') return 1;
  return at(0) == '\xE2' && at(1) == '\x80' && (at(2) == '\x99' || at(2) == '\x98') ? 3 : 0;
}

// Letters and digits in lower case; "o'clock" loses its apostrophe, "a.m." its dots.
std::string_view Lexer::read_letters(bool digits_too) {
  std::size_t size = 0;
  for (;;) {
    const char c = at(0);
    if (is_letter(c) || (digits_too && is_digit(c) && size > 0)) {
      if (size < buffer_.size()) buffer_[size++] = lower(c);
      ++pos_;
    } else if (const std::size_t skip = apostrophe(); skip > 0 && is_letter(at(skip))) {
      pos_ += skip;
    } else if (c == '.' && size == 1 && is_letter(at(1))) {
      ++pos_;
    } else {
      break;
    }
  }
  return {buffer_.data(), size};
}

void Lexer::push_word(const Entry& entry, std::size_t from) {
  if (entry.word == Word::refused) {
    const Refusal why = refusal_of(entry);
    refuse(from, pos_, std::string(text_.substr(from, pos_ - from)) + " " + std::string(why.message),
           std::string(why.suggestion));
    return;
  }
  Token& token = push(Token::Kind::word, from);
  token.word = entry.word;
  token.value = entry.value;
  token.entry = &entry;
}

// "every5minutes" with blanks between letters and digits, when it then is made of words that are known.
std::string Lexer::spaced(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool number = is_digit(text[i]);
    std::string piece;
    for (; i < text.size() && is_digit(text[i]) == number; ++i) piece += lower(text[i]);
    if (!number && find_word(piece) == nullptr) return {};
    out += (out.empty() ? "" : " ") + piece;
  }
  return out.size() == text.size() ? std::string() : out;
}

void Lexer::read_word() {
  const std::size_t from = pos_;
  const bool after_number = out_.count > 0 && out_.list[out_.count - 1].kind == Token::Kind::number &&
                            previous_end_ == pos_ && pos_ > 0;
  if (!after_number && read_zone_path(from)) return;
  std::string_view word = read_letters(!after_number);
  if (word.size() >= 3 && (word == "utc" || word == "gmt") && read_offset(from)) return;
  if (const Entry* joined = read_hyphenated(word)) {
    push_word(*joined, from);
    return;
  }
  word = std::string_view(buffer_.data(), word.size());
  if (word == "o" && at(0) == ' ' && lower(at(1)) == 'c') {  // "9 o clock"
    ++pos_;
    word = read_letters(false);
    if (word == "clock") word = "oclock";
  }
  if (word == "week" && at(0) == ' ' && lower(at(1)) == 'd' && lower(at(2)) == 'a' && lower(at(3)) == 'y') {
    ++pos_;  // "every week day"
    read_letters(false);
    word = "weekday";
  }
  const Entry* entry = find_word(word);
  // "new" and "st" begin holidays, and New York and St Johns as well.
  const bool may_be_city = entry == nullptr || entry->word == Word::holiday_new ||
                           entry->word == Word::holiday_day || at(0) == '\xC3';
  if (may_be_city && !after_number && read_city(from)) return;
  if (entry != nullptr && at(0) != '\xC3') {
    if (at(0) == '.' && at(1) != '.') ++pos_;  // an abbreviation's dot: "mon."
    push_word(*entry, from);
    return;
  }
  while (at(0) == '\xC3' && at(1) != '\0') {
    pos_ += 2;
    while (is_letter(at(0))) ++pos_;
  }
  const std::string_view text = text_.substr(from, pos_ - from);
  if (const std::string zone = canonical_zone(text); !zone.empty()) {
    push_zone(zone, from);
    return;
  }
  std::string near(nearest_word(word));
  std::string city = nearest_city(word, near.empty() ? 3 : edit_distance(word, near, 3));
  if (!city.empty()) near = std::move(city);
  if (near.empty()) near = spaced(text);
  const std::string wanted = near.empty() ? ": expected a time, a day, an interval or a time zone" : "";
  refuse(from, pos_, "unknown word \"" + std::string(text) + "\"" + wanted, std::move(near));
}

bool Lexer::read_city(std::size_t from) {
  const CityMatch city = find_city(text_.substr(from));
  if (city.length == 0) return false;
  pos_ = from + city.length;
  if (city.zones.size() == 1) {
    push_zone(city.zones.front(), from);
    return true;
  }
  std::string names;
  for (const std::string& zone : city.zones) names += (names.empty() ? "" : " or ") + zone;
  refuse(from, pos_, std::string(text_.substr(from, city.length)) + " is ambiguous: it may mean " + names,
         city.zones.front());
  return true;
}

void Lexer::push_zone(const std::string& name, std::size_t from) {
  push(Token::Kind::zone, from).value = zone_index(name);
}

// "Europe/Zurich"
bool Lexer::read_zone_path(std::size_t from) {
  std::size_t end = from;
  bool slash = false;
  const auto part_of_name = [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '/' || c == '-' || c == '+';
  };
  while (end < text_.size() && part_of_name(text_[end])) slash |= text_[end++] == '/';
  if (!slash) return false;
  const std::string_view name = text_.substr(from, end - from);
  pos_ = end;
  if (const std::string zone = canonical_zone(name); !zone.empty()) {
    push_zone(zone, from);
    return true;
  }
  std::array<char, 16> head{};
  std::size_t size = 0;
  while (size < head.size() && is_letter(name[size])) {
    head[size] = lower(name[size]);
    ++size;
  }
  const Entry* first = name[size] == '/' ? find_word({head.data(), size}) : nullptr;
  if (first != nullptr && (first->word == Word::weekday_name || first->word == Word::month_name)) {
    pos_ = from;
    return false;
  }
  std::string best;
  int distance = 4;
  for (const std::string& candidate : zone_names()) {
    const int d = edit_distance(name, candidate, distance - 1);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  refuse(from, end, "unknown time zone \"" + std::string(name) + "\"", best);
  return true;
}

// "bi-weekly", "mid-night", "day-of-month": one word when the vocabulary has it without the hyphen.
const Entry* Lexer::read_hyphenated(std::string_view word) {
  if (at(0) != '-' || !is_letter(at(1)) || word.size() > 20) return nullptr;
  std::array<char, 48> joined{};
  std::copy(word.begin(), word.end(), joined.begin());
  std::size_t size = word.size();
  std::size_t end = pos_;
  const Entry* found = nullptr;
  while (end + 1 < text_.size() && text_[end] == '-' && is_letter(text_[end + 1])) {
    ++end;
    while (end < text_.size() && is_letter(text_[end]) && size < joined.size())
      joined[size++] = lower(text_[end++]);
    if (const Entry* entry = find_word({joined.data(), size})) {
      found = entry;
      pos_ = end;
    }
    if (size == joined.size()) break;
  }
  return found;
}

// A slash right after a day, a month or a time with am or pm joins a list.
bool Lexer::lists_before(std::size_t from) const {
  if (out_.count == 0 || previous_end_ != from) return false;
  const Word word = out_.list[out_.count - 1].word;
  return word == Word::weekday_name || word == Word::month_name || word == Word::meridiem;
}

void Lexer::read_symbol() {
  const std::size_t from = pos_;
  const char c = at(0);
  const bool long_dash = c == '\xE2' && at(1) == '\x80' && (at(2) == '\x93' || at(2) == '\x94');
  if (long_dash || (c == '\xE2' && at(1) == '\x88' && at(2) == '\x92')) {  // the last one is the minus sign
    pos_ += 3;
    push(Token::Kind::dash, from);
    return;
  }
  if (c == '+' && is_digit(at(1))) {
    read_offset(from);
    return;
  }
  if (c == '+' && (at(1) == ' ' || is_letter(at(1)))) {  // "9am + 5pm", "mon+wed"
    ++pos_;
    push_word(*find_word("and"), from);
    return;
  }
  if (c == '.' && is_digit(at(1)) && read_decimal(from, 0)) return;
  if (c == ':' && is_digit(at(1)) && is_digit(at(2)) && !is_digit(at(3)) && at(3) != ':') {
    ++pos_;
    const int minute = read_digits(2);
    if (minute > 59) {
      refuse(from, pos_, "minutes go to 59", ":30");
      return;
    }
    push(Token::Kind::minute, from).value = minute;
    return;
  }
  if (c == ':' && out_.count > 0 && (at(1) == ' ' || at(1) == '\t') && previous_end_ == from &&
      (out_.list[out_.count - 1].kind == Token::Kind::word ||
       out_.list[out_.count - 1].kind == Token::Kind::zone)) {
    ++pos_;  // "mondays: 9am", "Europe/Paris: daily at noon"
    return;
  }
  ++pos_;
  if (c == '-' && out_.count > 0 && previous_end_ == from && is_letter(at(0))) {  // "half-past nine"
    const Token& before = out_.list[out_.count - 1];
    const bool quarter = before.word == Word::unit && before.value == +UnitWord::quarter;
    if ((before.word == Word::half || quarter) && (lower(at(0)) == 'p' || lower(at(0)) == 't')) return;
  }
  switch (c) {
    case ',':
      push(Token::Kind::comma, from);
      return;
    case ';':
      push(Token::Kind::semicolon, from);
      return;
    case '-':
      push(Token::Kind::dash, from);
      return;
    case '&':
      push_word(*find_word("and"), from);
      return;
    case '@':
      push_word(*find_word("at"), from);
      return;
    case '.':
      if (at(0) == '.') {  // "Mon..Fri"
        ++pos_;
        push(Token::Kind::dash, from);
        return;
      }
      if (is_letter(at(0)) && out_.count > 0 && previous_end_ == from &&
          out_.list[out_.count - 1].kind == Token::Kind::number)
        return;  // "1.day"
      if (at(0) == '\0' || at(0) == ' ' || at(0) == '\t' || at(0) == '\n' || at(0) == '\r') return;
      break;
    case '!':
    case '(':
    case ')':
    case '[':
    case ']':
      return;
    case '/':
      if (lists_before(from)) {  // "mon/wed/fri"
        push(Token::Kind::comma, from);
        return;
      }
      break;
    default:
      break;
  }
  while (pos_ < text_.size() && (static_cast<unsigned char>(text_[pos_]) & 0xC0U) == 0x80U) ++pos_;
  const std::string shown =
      static_cast<unsigned char>(c) < 0x20 ? "" : " '" + std::string(text_.substr(from, pos_ - from)) + "'";
  refuse(from, pos_, "unexpected character" + shown + ": expected words and times, joined by , & - or ;",
         c == '/' || c == '|' ? ";" : "");
}

std::expected<void, PhraseError> tokenize(std::string_view phrase, Tokens& out) {
  return Lexer(phrase, out).run();
}

}  // namespace english_cron
