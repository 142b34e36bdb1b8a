#include "base/sql_text.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

// Walks over a script token by token. What is not closed goes to the end: the database says what is wrong.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t at() const { return at_; }

  // The next token, which is a word (in lower case), ";", or empty for everything else. Comments and blanks
  // are passed over first; `begin` is where the token stands.
  std::string next(std::size_t& begin) {
    pass_blanks();
    begin = at_;
    if (at_end()) return {};
    const char c = text_[at_];
    if (is_word(c)) return word();
    if (c == '\'' || c == '"' || c == '`') {
      quoted(c, false);
    } else if (c == '[') {
      pass_to("]", at_ + 1);
    } else if (c == '$') {
      dollar();
    } else {
      ++at_;
      if (c == ';') return ";";
    }
    return {};
  }

 private:
  void pass_to(std::string_view end, std::size_t from) {
    const auto found = text_.find(end, from);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  void pass_blanks() {
    while (!at_end()) {
      if (is_blank(text_[at_])) {
        ++at_;
      } else if (text_.substr(at_).starts_with("--")) {
        pass_to("\n", at_);
      } else if (text_.substr(at_).starts_with("/*")) {
        comment();
      } else {
        return;
      }
    }
  }

  // They nest in PostgreSQL, and not in SQLite; nobody writes one inside the other by chance.
  void comment() {
    int depth = 0;
    while (!at_end()) {
      if (text_.substr(at_).starts_with("/*")) {
        ++depth;
        at_ += 2;
      } else if (text_.substr(at_).starts_with("*/")) {
        at_ += 2;
        if (--depth == 0) return;
      } else {
        ++at_;
      }
    }
  }

  // A doubled quote stands for itself; in PostgreSQL's E'…' a backslash takes the next character along.
  void quoted(char quote, bool escapes) {
    for (++at_; !at_end(); ++at_) {
      if (escapes && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == quote) {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
          ++at_;
        } else {
          ++at_;
          return;
        }
      }
    }
    at_ = text_.size();
  }

  std::string word() {
    const auto begin = at_;
    while (!at_end() && (is_word(text_[at_]) || text_[at_] == '$')) ++at_;
    auto result = to_lower(text_.substr(begin, at_ - begin));
    if (result == "e" && !at_end() && text_[at_] == '\'') quoted('\'', true);
    return result;
  }

  // $$ … $$ and $tag$ … $tag$; a lone $ or $1 is none.
  void dollar() {
    auto end = at_ + 1;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const bool digit = at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9';
    if (end >= text_.size() || text_[end] != '$' || digit) {
      ++at_;
      return;
    }
    const auto tag = text_.substr(at_, end + 1 - at_);
    pass_to(tag, end + 1);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Whether the semicolons seen so far stand inside the body of a trigger or of a function: create … begin …
// end.
class Body {
 public:
  void word(const std::string& word) {
    if (words_ < head_.size()) head_[words_] = word;
    ++words_;
    if (depth_ == 0) {
      // Only these have bodies: elsewhere `begin` is a statement of its own, or a column's name.
      if (word == "begin" && creates()) depth_ = 1;
    } else if (word == "case" || word == "begin") {
      ++depth_;
    } else if (word == "end") {
      --depth_;
    }
  }
  bool open() const { return depth_ > 0; }

 private:
  bool creates() const {
    if (head_[0] != "create") return false;
    constexpr std::array<std::string_view, 3> kWithBody = {"trigger", "function", "procedure"};
    return std::any_of(head_.begin(), head_.end(), [&](const auto& word) {
      return std::find(kWithBody.begin(), kWithBody.end(), word) != kWithBody.end();
    });
  }

  std::array<std::string, 4> head_;  // create or replace function, create temp trigger
  std::size_t words_ = 0;
  int depth_ = 0;
};

}  // namespace

std::vector<std::string> split_statements(std::string_view script) {
  std::vector<std::string> statements;
  Scanner scanner(script);
  Body body;
  std::size_t begin = std::string_view::npos;  // of the statement; none yet
  const auto cut = [&](std::size_t end) {
    if (begin != std::string_view::npos) statements.emplace_back(trim(script.substr(begin, end - begin)));
    begin = std::string_view::npos;
    body = Body();
  };
  for (;;) {
    std::size_t at = 0;
    const auto token = scanner.next(at);
    if (at >= script.size()) break;
    if (token == ";" && !body.open()) {
      cut(at);
      continue;
    }
    if (begin == std::string_view::npos) begin = at;
    if (!token.empty() && token != ";") body.word(token);
  }
  cut(script.size());
  return statements;
}

std::string first_word(std::string_view statement) {
  Scanner scanner(statement);
  std::size_t at = 0;
  return scanner.next(at);
}

}  // namespace sluice
