// The cursor over the tokens, and how an error or a warning is noted.
#include "grammar.h"

namespace english_cron {

bool Grammar::accept(Word word) {
  if (!peek().is(word)) return false;
  take();
  return true;
}

bool Grammar::accept(Kind kind) {
  if (!peek().is(kind)) return false;
  take();
  return true;
}

bool Grammar::is_unit(std::size_t ahead, UnitWord unit) const {
  return peek(ahead).is(Word::unit) && peek(ahead).value == static_cast<int>(unit);
}

bool Grammar::is_separator(std::size_t ahead) const {
  return peek(ahead).is(Kind::comma) || peek(ahead).is(Word::conjunction);
}

bool Grammar::is_range(std::size_t ahead) const {
  return peek(ahead).is(Kind::dash) || peek(ahead).is(Word::to) || peek(ahead).is(Word::until);
}

std::size_t Grammar::skip_the(std::size_t ahead) const {
  while (peek(ahead).is(Word::the) || peek(ahead).is(Word::every)) ++ahead;
  return ahead;
}

bool Grammar::read_number(int& value) {
  const Token& at = take();
  if (at.is(Kind::number)) {
    value = at.value;
    return true;
  }
  value = at.is(Word::hundred) ? 1 : at.value;
  if (!at.is(Word::hundred) && value >= 20) {
    const std::size_t next = peek().is(Kind::dash) ? 1 : 0;
    const Token& ones = peek(next);
    if (ones.is(Word::number) && ones.value >= 1 && ones.value <= 9) {
      for (std::size_t i = 0; i <= next; ++i) take();
      value += ones.value;
    }
  }
  if (at.is(Word::hundred) || accept(Word::hundred)) {
    value *= 100;
    const std::size_t next = peek().is(Word::conjunction) ? 1 : 0;
    const bool more = peek(next).is(Word::number) && peek(next + 1).is(Word::unit);
    if (more) {
      if (next == 1) take();
      value += take().value;
    }
  }
  return true;
}

std::size_t Grammar::ordinal_length(std::size_t ahead) const {
  if (!peek(ahead).is(Word::number)) return 1;
  return peek(ahead + 1).is(Kind::dash) ? 3 : 2;
}

int Grammar::ordinal_at(std::size_t ahead) const {
  const Token& at = peek(ahead);
  if (at.is(Kind::ordinal) || at.is(Word::ordinal)) return at.value;
  if (is_unit(ahead, UnitWord::second) && at.entry->text == "second") return 2;
  if (at.is(Word::number) && at.value >= 20) {
    const std::size_t next = ahead + (peek(ahead + 1).is(Kind::dash) ? 2 : 1);
    if (peek(next).is(Word::ordinal) && peek(next).value < 10) return at.value + peek(next).value;
    if (is_unit(next, UnitWord::second) && peek(next).entry->text == "second") return at.value + 2;
  }
  return 0;
}

bool Grammar::refuse(Span at, std::string message, std::string suggestion) {
  if (error_.message.empty()) error_ = {at.offset, at.length, std::move(message), std::move(suggestion)};
  return false;
}

bool Grammar::refuse(const Token& at, std::string message, std::string suggestion) {
  return refuse(Span{at.offset, at.length}, std::move(message), std::move(suggestion));
}

bool Grammar::expected(std::string what, std::string suggestion) {
  return refuse(peek(), "expected " + what, std::move(suggestion));
}

void Grammar::warn(std::string text) {
  for (const std::string& known : out_.warnings) {
    if (known == text) return;
  }
  out_.warnings.push_back(std::move(text));
}

Span Grammar::span_from(const Token& first) const {
  const Token& last = tokens_.list[pos_ > 0 ? pos_ - 1 : 0];
  const std::size_t end = std::max<std::size_t>(last.offset + last.length, first.offset + first.length);
  return {first.offset, end - first.offset};
}

}  // namespace english_cron
