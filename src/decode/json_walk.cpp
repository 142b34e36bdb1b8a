#include "decode/json_walk.h"

#include "base/text.h"
#include "decode/json_gap.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {
namespace {

constexpr std::size_t kFrames = kMostPathSteps + 1;  // containers that are known by name and number
constexpr std::size_t kDeepest = 4u << 20;           // half a mebibyte of bits
constexpr std::size_t kKeyBytes = 4096;
constexpr std::size_t kScalarBytes = 4096;
constexpr std::size_t kShownKeys = 10;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_scalar_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

}  // namespace

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
  if (!match_ || !deep_.empty()) return kNone;
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
  std::vector<PathStep> steps;
  for (const auto& frame : stack_) {
    if (frame.object) steps.push_back({PathStep::Kind::name, frame.key, 0});
  }
  return path_text(steps, steps.size());
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
  if (first_element_ && c != 'n') note_candidate(c);  // a null first says nothing yet
  if (matched != kNone && (matched > reached_.steps || reached_.first == '\0')) reached_ = {matched, c, {}};
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
    SLUICE_CHECK(enter(c, matched));
    return false;
  }
  if (c == '"') {
    in_string_ = true;
  } else if (is_scalar_char(c)) {
    in_scalar_ = true;
    scalar_.assign(1, c);
  } else {
    return malformed(c);
  }
  phase_ = stack_.empty() ? Phase::end : Phase::after;
  return false;
}

Result<void> JsonWalker::enter(char c, std::size_t matched) {
  if (stack_.size() < kFrames) {
    const bool objects_only =
        stack_.size() <= 2 &&
        std::all_of(stack_.begin(), stack_.end(), [](const Frame& frame) { return frame.object; });
    stack_.push_back({c == '{', matched, 0, {}, false});
    first_element_ = discover_ && c == '[' && objects_only;
  } else {
    if (deep_.size() >= kDeepest) {
      return fail(ErrorCode::too_large, fmt::format("the JSON is nested more than {} deep", kDeepest));
    }
    deep_.push_back(c == '{');
    first_element_ = false;
  }
  phase_ = c == '{' ? Phase::key_or_end : Phase::value_or_end;
  return {};
}

void JsonWalker::leave() {
  first_element_ = false;
  if (deep_.empty()) {
    stack_.pop_back();
  } else {
    deep_.pop_back();
  }
  phase_ = stack_.empty() ? Phase::end : Phase::after;
}

void JsonWalker::string_ends() {
  in_string_ = false;
  const bool key = phase_ == Phase::colon && deep_.empty();
  if (key && stack_.back().matched == reached_.steps && reached_.keys.size() < kShownKeys)
    reached_.keys.push_back(stack_.back().key);
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
      string_ends();
      return false;
    }
    if (is_key && deep_.empty() && stack_.back().key.size() < kKeyBytes) stack_.back().key += c;
    return false;
  }
  if (in_scalar_) {
    if (is_scalar_char(c)) {
      ++at;
      if (scalar_.size() <= kScalarBytes) scalar_ += c;
      return false;
    }
    in_scalar_ = false;
    if (scalar_.size() <= kScalarBytes && !is_json_scalar(scalar_)) {
      return fail(ErrorCode::malformed,
                  fmt::format("this is not valid JSON: \"{}\" is no value", printable(scalar_, 40)));
    }
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
      if (deep_.empty()) stack_.back().key.clear();
      in_string_ = true;
      phase_ = Phase::colon;
      return false;
    case Phase::colon:
      if (c != ':') return malformed(c);
      ++at;
      phase_ = Phase::value;
      return false;
    case Phase::after:
      if (c == ',') {
        phase_ = in_object() ? Phase::key : Phase::value;
        if (deep_.empty()) ++stack_.back().index;
      } else if (c == (in_object() ? '}' : ']')) {
        leave();
      } else {
        return malformed(c);
      }
      ++at;
      return false;
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

}  // namespace sluice::decode
