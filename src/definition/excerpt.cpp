#include "definition/excerpt.h"

#include "base/secret.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace sluice::definition {
namespace {

constexpr std::size_t kMostShown = 200;
constexpr std::string_view kMask = "***";

// Parts of a key that say "secret", and whole keys that a slip may have been meant to be.
constexpr std::array<std::string_view, 10> kSecretParts = {
    "pass", "pwd", "secret", "token", "apikey", "cookie", "bearer", "credential", "signature", "authori"};
constexpr std::array<std::string_view, 12> kSecretKeys = {"password",         "passwd",  "secret", "token",
                                                          "apikey",           "value",   "auth",   "headers",
                                                          "connectionstring", "options", "bearer", "basic"};

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

bool may_be_secret(std::string_view key) {
  std::string plain;
  for (const char c : to_lower(key)) {
    if (c != '_' && c != '-' && c != '.') plain += c;
  }
  const auto has = [&](std::string_view part) { return plain.find(part) != std::string::npos; };
  return std::ranges::any_of(kSecretParts, has) || !nearest(plain, kSecretKeys).empty() ||
         std::ranges::find(kSecretKeys, std::string_view(plain)) != kSecretKeys.end();
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(" \t-"), line.size());
}

// The key that begins the line (`key: …`, `- key: …`), if one does.
std::optional<std::string_view> key_of(std::string_view line) {
  line.remove_prefix(indentation(line));
  if (!line.empty() && (line.front() == '"' || line.front() == '\'')) line.remove_prefix(1);
  std::size_t length = 0;
  while (length < line.size() && is_key_character(line[length])) ++length;
  std::string_view rest = line.substr(length);
  if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) rest.remove_prefix(1);
  if (length == 0 || trim(rest).empty() || trim(rest).front() != ':') return std::nullopt;
  return line.substr(0, length);
}

// Whether the line belongs to the value of a key above it that may hold a secret.
bool below_a_secret(const std::vector<std::string_view>& lines, std::size_t at) {
  std::size_t deepest = indentation(lines[at]);
  bool continues = !key_of(lines[at]);  // a value's further lines may stand anywhere
  for (std::size_t i = at; i-- > 0;) {
    if (trim(lines[i]).empty()) continue;
    const auto key = key_of(lines[i]);
    const std::size_t indent = indentation(lines[i]);
    if (key && (continues || indent < deepest)) {
      if (may_be_secret(*key)) return true;
      continues = false;
      deepest = std::min(deepest, indent);
    }
    if (!continues && deepest == 0) break;
  }
  return false;
}

// Where a value that begins at `from` ends: at the next comma or bracket of a flow collection, else with the
// line. Quotes are heeded.
std::size_t value_end(std::string_view line, std::size_t from, bool in_flow) {
  char quote = '\0';
  int depth = 0;
  for (std::size_t i = from; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (in_flow && (c == '}' || c == ']' || c == ',') && depth == 0) {
      return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return line.size();
}

bool is_reference(std::string_view value) {
  value = trim(value);
  if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
    value = value.substr(1, value.size() - 2);
  return value.starts_with("${") && value.find('}') == value.size() - 1;
}

// A line being rewritten; the problem's place moves with the text.
class Line {
 public:
  Line(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  void replace(std::size_t from, std::size_t to, std::string_view by) {
    text_.replace(from, to - from, by);
    if (at_ >= to) {
      at_ = at_ - (to - from) + by.size();
    } else if (at_ > from) {
      at_ = from;
    }
  }
  const std::string& text() const { return text_; }
  std::size_t at() const { return at_; }

 private:
  std::string text_;
  std::size_t at_;  // bytes from the start
};

void mask_values(Line& line) {
  bool in_flow = false;
  for (std::size_t i = 0; i < line.text().size(); ++i) {
    const char c = line.text()[i];
    if (c == '{' || c == '[') in_flow = true;
    if (c != ':' || (i + 1 < line.text().size() && line.text()[i + 1] != ' ')) continue;
    std::size_t end = i;
    while (end > 0 &&
           (line.text()[end - 1] == ' ' || line.text()[end - 1] == '"' || line.text()[end - 1] == '\''))
      --end;
    std::size_t begin = end;
    while (begin > 0 && is_key_character(line.text()[begin - 1])) --begin;
    if (!may_be_secret(std::string_view(line.text()).substr(begin, end - begin))) continue;
    const std::size_t value = std::min(line.text().find_first_not_of(' ', i + 1), line.text().size());
    const std::size_t stop = value_end(line.text(), value, in_flow);
    const auto held = std::string_view(line.text()).substr(value, stop - value);
    if (trim(held).empty() || is_reference(held)) continue;
    line.replace(value, stop, kMask);
    i = value + kMask.size() - 1;
  }
}

void mask_urls(Line& line) {
  for (std::size_t at = 0; (at = line.text().find("://", at)) != std::string::npos;) {
    std::size_t begin = at;
    while (begin > 0 && is_key_character(line.text()[begin - 1])) --begin;
    const std::size_t end = std::min(line.text().find_first_of(" \t\"'<>", at), line.text().size());
    const auto masked = mask_url(std::string_view(line.text()).substr(begin, end - begin));
    line.replace(begin, end, masked);
    at = begin + std::max<std::size_t>(masked.size(), at - begin + 3);
  }
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

int characters(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, [](char c) { return !continues_character(c); }));
}

// The byte at which character `column` (from 1) begins.
std::size_t byte_of(std::string_view line, int column) {
  std::size_t at = 0;
  for (int left = column - 1; left > 0 && at < line.size(); --left) {
    ++at;
    while (at < line.size() && continues_character(line[at])) ++at;
  }
  return at;
}

// Cuts to what can be read beside a caret.
void cut(Line& line) {
  if (line.text().size() <= kMostShown) return;
  const auto boundary = [&](std::size_t at) {
    while (at > 0 && continues_character(line.text()[at])) --at;
    return at;
  };
  if (const std::size_t end = line.at() + kMostShown / 2; end < line.text().size())
    line.replace(boundary(end), line.text().size(), "…");
  if (line.at() > kMostShown / 2) line.replace(0, boundary(line.at() - kMostShown / 2), "…");
}

}  // namespace

Excerpt excerpt_at(std::string_view text, const Place& place) {
  if (place.line <= 0) return {};
  const auto lines = split(text, '\n');
  const auto index = static_cast<std::size_t>(place.line) - 1;
  if (index >= lines.size()) return {};
  std::string_view found = lines[index];
  if (found.ends_with('\r')) found.remove_suffix(1);
  Line line(found, byte_of(found, place.column));
  if (below_a_secret(lines, index)) {
    const auto key = key_of(found);
    const std::size_t from =
        key ? static_cast<std::size_t>(key->data() - found.data()) + key->size() : indentation(found);
    const std::size_t colon = key ? std::min(found.find(':', from) + 1, found.size()) : from;
    const std::size_t value = std::min(found.find_first_not_of(' ', colon), found.size());
    if (value < found.size() && !is_reference(found.substr(value))) line.replace(value, found.size(), kMask);
  } else {
    mask_values(line);
    mask_urls(line);
  }
  cut(line);
  Excerpt excerpt{.text = printable(line.text(), 4 * kMostShown)};
  if (place.column > 0) excerpt.caret = characters(line.text().substr(0, line.at())) + 1;
  return excerpt;
}

void add_excerpts(std::vector<Problem>& problems, const std::vector<SourceFile>& files, std::size_t own) {
  for (auto& problem : problems) {
    // A problem may stand in another file than the one it is reported for: the service's defaults, say.
    const auto file = files[own].path == problem.place.file
                          ? files.begin() + static_cast<std::ptrdiff_t>(own)
                          : std::ranges::find(files, problem.place.file, &SourceFile::path);
    if (file == files.end()) continue;
    auto excerpt = excerpt_at(file->text, problem.place);
    problem.excerpt = std::move(excerpt.text);
    problem.caret = excerpt.caret;
  }
}

}  // namespace sluice::definition
