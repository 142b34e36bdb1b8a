// A strict JSON reader that writes the canonical spelling as it goes. Records are parsed by simdjson; this is
// for the nested values inside them that stay JSON.
#include "decode/convert.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice::decode {
namespace {

class Canonical {
 public:
  Canonical(std::string_view text, std::string& out) : text_(text), out_(out) {}

  bool document() {
    if (!value(0)) return false;
    blanks();
    return at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool take(char c) {
    blanks();
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    out_ += wanted;
    return true;
  }

  bool value(int depth) {
    if (depth > kJsonDepth) return false;
    blanks();
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"': {
        std::string plain;
        if (!string(plain)) return false;
        append_json_string(out_, plain);
        return true;
      }
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool digits() {
    const auto begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > begin;
  }

  bool number() {
    const auto begin = at_;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    out_ += text_.substr(begin, at_ - begin);
    return true;
  }

  bool hex(unsigned& code) {
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const char low = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        code = code * 16 + static_cast<unsigned>(c - '0');
      } else if (low >= 'a' && low <= 'f') {
        code = code * 16 + static_cast<unsigned>(low - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  bool escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (c != 'u') {
      const auto found = kFrom.find(c);
      if (found == std::string_view::npos) return false;
      out += kTo[found];
      return true;
    }
    unsigned code = 0;
    if (!hex(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      unsigned low = 0;
      if (text_.substr(at_, 2) != "\\u") return false;
      at_ += 2;
      if (!hex(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  bool string(std::string& out) {
    ++at_;
    for (;;) {
      const auto begin = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      out += text_.substr(begin, at_ - begin);
      if (at_ >= text_.size()) return false;
      const char c = text_[at_++];
      if (c == '"') return true;
      if (c != '\\' || at_ >= text_.size() || !escape(out)) return false;
    }
  }

  bool array(int depth) {
    ++at_;
    out_ += '[';
    if (!take(']')) {
      for (;;) {
        if (!value(depth + 1)) return false;
        if (take(']')) break;
        if (!take(',')) return false;
        out_ += ',';
      }
    }
    out_ += ']';
    return true;
  }

  bool object(int depth) {
    ++at_;
    std::vector<std::pair<std::string, std::string>> members;
    if (!take('}')) {
      for (;;) {
        blanks();
        if (peek() != '"') return false;
        auto& [key, text] = members.emplace_back();
        if (!string(key) || !take(':')) return false;
        std::string mine;
        std::swap(mine, out_);
        const bool good = value(depth + 1);
        std::swap(mine, out_);
        text = std::move(mine);
        if (!good) return false;
        if (take('}')) break;
        if (!take(',')) return false;
      }
    }
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    out_ += '{';
    bool first = true;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i + 1 < members.size() && members[i + 1].first == members[i].first) continue;  // the last one stays
      if (!first) out_ += ',';
      first = false;
      append_json_string(out_, members[i].first);
      out_ += ':';
      out_ += members[i].second;
    }
    out_ += '}';
    return true;
  }

  std::string_view text_;
  std::string& out_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> canonical_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (!Canonical(text, out).document()) return std::nullopt;
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out += text.substr(begin, i - begin);
    begin = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += fmt::format("\\u{:04x}", c);
    }
  }
  out += text.substr(begin);
  out += '"';
}

}  // namespace sluice::decode
