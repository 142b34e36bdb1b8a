#include "history/logged_cells.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::history {
namespace {

// Walks over JSON whose values are wanted as they are spelled, which a parser of values would lose (1.50,
// 1e400). What is inside the values is not looked at beyond their ends.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool at_end() const { return at_ == text_.size(); }

  // The text of one value, whatever it is.
  std::optional<std::string_view> value() {
    const std::size_t begin = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!skip_string()) return std::nullopt;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (depth > 0 && (c == '}' || c == ']')) {
        --depth;
        ++at_;
      } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
        break;
      } else {
        ++at_;
      }
    }
    if (depth != 0 || at_ == begin) return std::nullopt;
    return text_.substr(begin, at_ - begin);
  }

  // "name": of a member.
  std::optional<std::string> name() {
    const std::size_t begin = at_;
    if (at_ >= text_.size() || text_[at_] != '"' || !skip_string()) return std::nullopt;
    auto name = string_of(text_.substr(begin, at_ - begin));
    if (!name || !take(':')) return std::nullopt;
    return name;
  }

 private:
  bool skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::unexpected<Error> not_ours(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return fail(ErrorCode::malformed,
              fmt::format("an entry of the change log is not as it was written: {}", text.substr(0, kShown)));
}

// The members of one object, in order.
std::optional<std::vector<LoggedValue>> members(Walk& walk) {
  std::vector<LoggedValue> found;
  if (!walk.take('{')) return std::nullopt;
  if (walk.take('}')) return found;
  do {
    auto name = walk.name();
    if (!name) return std::nullopt;
    const auto value = walk.value();
    if (!value) return std::nullopt;
    found.push_back({std::move(*name), std::string(*value)});
  } while (walk.take(','));
  if (!walk.take('}')) return std::nullopt;
  return found;
}

}  // namespace

std::optional<std::string> string_of(std::string_view json) {
  if (json.size() < 2 || json.front() != '"') return std::nullopt;
  const auto value = nlohmann::json::parse(json, nullptr, false);
  if (!value.is_string()) return std::nullopt;
  return value.get<std::string>();
}

Result<std::vector<LoggedValue>> logged_key(std::string_view key) {
  Walk walk(key);
  auto found = members(walk);
  if (!found || !walk.at_end()) return not_ours(key);
  return std::move(*found);
}

Result<std::vector<LoggedCell>> logged_cells(std::string_view cells) {
  std::vector<LoggedCell> found;
  Walk walk(cells);
  if (!walk.take('[')) return not_ours(cells);
  if (!walk.take(']')) {
    do {
      auto parts = members(walk);
      if (!parts) return not_ours(cells);
      auto& cell = found.emplace_back();
      for (auto& part : *parts) {
        if (part.name == "before") cell.before = std::move(part.json);
        if (part.name == "after") cell.after = std::move(part.json);
        if (part.name != "name") continue;
        auto name = string_of(part.json);
        if (!name) return not_ours(cells);
        cell.name = std::move(*name);
      }
    } while (walk.take(','));
    if (!walk.take(']')) return not_ours(cells);
  }
  if (!walk.at_end()) return not_ours(cells);
  return found;
}

}  // namespace sluice::history
