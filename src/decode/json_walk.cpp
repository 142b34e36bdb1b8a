#include "decode/json_walk.h"

#include "base/text.h"
#include "decode/bit_masks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

namespace sluice::decode {
namespace {

constexpr std::size_t kDepth = 1000;
constexpr std::size_t kKeyBytes = 4096;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_scalar_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

std::unexpected<Error> bad_path(std::string_view path, std::string_view why) {
  return fail(ErrorCode::invalid_definition,
              fmt::format("records: \"{}\" {}; write names, [n] and [*], like data.items or $.data[0].items",
                          path, why));
}

}  // namespace

Result<std::vector<PathStep>> parse_json_path(std::string_view path) {
  std::vector<PathStep> steps;
  std::string_view rest = trim(path);
  if (rest.starts_with('$')) rest.remove_prefix(1);
  bool first = true;
  while (!rest.empty()) {
    if (rest.front() == '[') {
      const auto quote = rest.size() > 1 ? rest[1] : '\0';
      if (quote == '\'' || quote == '"') {
        const auto end = rest.find(quote, 2);
        if (end == std::string_view::npos || end + 1 >= rest.size() || rest[end + 1] != ']') {
          return bad_path(path, "has a name that is not closed");
        }
        steps.push_back({PathStep::Kind::name, std::string(rest.substr(2, end - 2)), 0});
        rest.remove_prefix(end + 2);
      } else {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return bad_path(path, "has a [ that is not closed");
        const auto inner = rest.substr(1, end - 1);
        PathStep step{inner == "*" ? PathStep::Kind::any : PathStep::Kind::index, {}, 0};
        if (inner != "*") {
          const auto [stop, error] = std::from_chars(inner.data(), inner.data() + inner.size(), step.index);
          if (error != std::errc{} || stop != inner.data() + inner.size()) {
            return bad_path(path, fmt::format("has [{}], which is not supported", inner));
          }
        }
        steps.push_back(std::move(step));
        rest.remove_prefix(end + 1);
      }
    } else {
      if (rest.front() == '.') {
        rest.remove_prefix(1);
      } else if (!first) {
        return bad_path(path, "lacks a dot between names");
      }
      const auto end = rest.find_first_of(".[");
      const auto name = rest.substr(0, end);
      if (name.empty()) return bad_path(path, "has an empty name (.. is not supported)");
      steps.push_back(name == "*" ? PathStep{PathStep::Kind::any, {}, 0}
                                  : PathStep{PathStep::Kind::name, std::string(name), 0});
      rest.remove_prefix(name.size());
    }
    first = false;
  }
  if (!steps.empty() && steps.back().kind == PathStep::Kind::any) steps.pop_back();
  return steps;
}

std::unexpected<Error> JsonWalker::malformed(char c) const {
  return fail(
      ErrorCode::malformed,
      fmt::format("this is not valid JSON: \"{}\" where {} is expected", printable(std::string_view(&c, 1)),
                  phase_ == Phase::colon                                ? "a colon"
                  : phase_ == Phase::after                              ? "a comma or closing bracket"
                  : phase_ == Phase::key || phase_ == Phase::key_or_end ? "a field name"
                  : phase_ == Phase::end ? "nothing more (several JSON values? format: ndjson)"
                                         : "a value"));
}

std::size_t JsonWalker::match_child() const {
  if (!match_) return kNone;
  if (stack_.empty()) return 0;
  const auto& frame = stack_.back();
  if (frame.matched == kNone || frame.matched >= path_.size()) return kNone;
  const auto& step = path_[frame.matched];
  const bool hit = frame.object ? (step.kind == PathStep::Kind::any ||
                                   (step.kind == PathStep::Kind::name && step.name == frame.key))
                                : (step.kind == PathStep::Kind::any ||
                                   (step.kind == PathStep::Kind::index && step.index == frame.index));
  return hit ? frame.matched + 1 : kNone;
}

std::string JsonWalker::path_here() const {
  std::string path = "$";
  for (const auto& frame : stack_) {
    if (!frame.object) continue;
    const bool plain = !frame.key.empty() && std::all_of(frame.key.begin(), frame.key.end(), is_name_char);
    path += plain ? "." + frame.key : "['" + frame.key + "']";
  }
  return path;
}

// Called for the first thing inside an array that no array encloses.
void JsonWalker::note_candidate(char first) {
  first_element_ = false;
  if (first != '{' && first != ']') return;
  auto frame = std::move(stack_.back());
  stack_.pop_back();
  candidates_.push_back({path_here(), first == ']'});
  stack_.push_back(std::move(frame));
}

Result<bool> JsonWalker::value_starts(char c, std::size_t& at, Event& event) {
  if (!started_) top_ = c;
  started_ = true;
  const auto matched = match_child();
  const bool here = match_ && matched == path_.size();
  if (first_element_) note_candidate(c);
  if (here) {
    const auto follow = stack_.empty() ? Phase::end : Phase::after;
    if (c == '[') {
      phase_ = follow;
      ++at;
      event = Event::array;
      return true;
    }
    if (c == '{') {
      phase_ = follow;
      event = Event::object;
      return true;
    }
    event = Event::scalar;
    return true;
  }
  ++at;
  if (c == '{' || c == '[') {
    if (stack_.size() >= kDepth) return fail(ErrorCode::too_large, "the JSON is nested more than 1,000 deep");
    const bool objects_only =
        stack_.size() <= 2 &&
        std::all_of(stack_.begin(), stack_.end(), [](const Frame& frame) { return frame.object; });
    stack_.push_back({c == '{', matched, 0, {}, false});
    first_element_ = discover_ && c == '[' && objects_only;
    phase_ = c == '{' ? Phase::key_or_end : Phase::value_or_end;
    return false;
  }
  if (c == '"') {
    in_string_ = true;
  } else if (is_scalar_char(c)) {
    in_scalar_ = true;
  } else {
    return malformed(c);
  }
  phase_ = stack_.empty() ? Phase::end : Phase::after;
  return false;
}

void JsonWalker::leave() {
  stack_.pop_back();
  phase_ = stack_.empty() ? Phase::end : Phase::after;
}

Result<bool> JsonWalker::byte(char c, std::size_t& at, Event& event) {
  if (in_string_) {
    ++at;
    const bool is_key = phase_ == Phase::colon;
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      if (is_key && stack_.size() == 1 && top_keys_.size() < 10) top_keys_.push_back(stack_.back().key);
      return false;
    }
    if (is_key && stack_.back().key.size() < kKeyBytes) stack_.back().key += c;
    return false;
  }
  if (in_scalar_) {
    if (is_scalar_char(c)) {
      ++at;
      return false;
    }
    in_scalar_ = false;
  }
  if (is_space(c)) {
    ++at;
    return false;
  }
  switch (phase_) {
    case Phase::value:
      return value_starts(c, at, event);
    case Phase::value_or_end:
      if (c != ']') return value_starts(c, at, event);
      if (first_element_) note_candidate(c);
      ++at;
      leave();
      return false;
    case Phase::key_or_end:
    case Phase::key:
      ++at;
      if (c == '}' && phase_ == Phase::key_or_end) {
        leave();
        return false;
      }
      if (c != '"') return malformed(c);
      stack_.back().key.clear();
      in_string_ = true;
      phase_ = Phase::colon;
      return false;
    case Phase::colon:
      if (c != ':') return malformed(c);
      ++at;
      phase_ = Phase::value;
      return false;
    case Phase::after: {
      auto& frame = stack_.back();
      if (c == ',') {
        phase_ = frame.object ? Phase::key : Phase::value;
        ++frame.index;
      } else if (c == (frame.object ? '}' : ']')) {
        leave();
      } else {
        return malformed(c);
      }
      ++at;
      return false;
    }
    case Phase::end:
      return malformed(c);
  }
  return false;
}

Result<JsonWalker::Event> JsonWalker::walk(std::string_view text, std::size_t& at) {
  Event event = Event::more;
  while (at < text.size()) {
    SLUICE_TRY(const bool stop, byte(text[at], at, event));
    if (stop) return event;
  }
  return phase_ == Phase::end && !in_string_ ? Event::complete : Event::more;
}

void cut_json(std::string_view text, std::size_t limit, JsonCut& cut) {
  constexpr std::size_t kWords = 64;
  std::array<JsonMasks, kWords> masks;
  cut.ends.clear();
  cut.array_ended = false;
  std::uint64_t inside_before = 0;  // all ones while in a string
  std::uint64_t escape_before = 0;  // bit 0: the first byte is escaped
  std::int64_t depth = 0;
  for (std::size_t at = 0; at < text.size(); at += kWords * 64) {
    const std::size_t words = std::min(kWords, (text.size() - at + 63) / 64);
    json_masks(text.data() + at, words, masks.data());
    for (std::size_t w = 0; w < words; ++w) {
      const auto& mask = masks[w];
      // Bytes after an odd run of backslashes are escaped.
      std::uint64_t escaped = escape_before;
      escape_before = 0;
      for (auto slashes = mask.backslash & ~escaped; slashes != 0;) {
        const auto bit = slashes & (~slashes + 1);
        if (bit >> 63 != 0) {
          escape_before = 1;
        } else {
          escaped |= bit << 1;
        }
        slashes &= ~(bit | bit << 1);
      }
      const auto inside = prefix_xor(mask.quote & ~escaped) ^ inside_before;
      inside_before = static_cast<std::uint64_t>(static_cast<std::int64_t>(inside) >> 63);
      const auto open = mask.open & ~inside;
      for (auto brackets = (mask.open | mask.close) & ~inside; brackets != 0; brackets &= brackets - 1) {
        const auto position = at + w * 64 + static_cast<std::size_t>(std::countr_zero(brackets));
        if (position >= text.size()) return;
        if ((open & brackets & (~brackets + 1)) != 0) {
          ++depth;
        } else if (--depth == 0) {
          cut.ends.push_back(static_cast<std::uint32_t>(position + 1));
          if (cut.ends.size() == limit) return;
        } else if (depth < 0) {
          cut.array_ended = true;
          cut.array_end = position;
          return;
        }
      }
    }
  }
}

}  // namespace sluice::decode
