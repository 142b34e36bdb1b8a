// Walks through a JSON document of any size, byte by byte, to the records inside it. Resumable at any byte.
#pragma once

#include "base/error.h"
#include "decode/json_path.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::decode {

// An array that may hold the records: at the top, or one or two objects down.
struct RecordsCandidate {
  std::string path;    // normalised
  bool empty = false;  // []
};

class JsonWalker {
 public:
  enum class Event : std::uint8_t {
    more,      // the text is used up
    array,     // at the path, `at` is behind its [
    object,    // at the path, `at` is on its {
    scalar,    // at the path, neither array nor object
    complete,  // the document ended
  };
  // `discover`: collect candidates as well.
  JsonWalker(std::vector<PathStep> path, bool match, bool discover)
      : path_(std::move(path)), match_(match), discover_(discover) {}

  // Goes on from `at`. After array or object the caller steps over the value itself (for an array: behind its
  // ]).
  Result<Event> walk(std::string_view text, std::size_t& at);

  bool started() const { return started_; }
  bool is_complete() const { return phase_ == Phase::end; }
  bool top_is_object() const { return top_ == '{'; }
  const std::vector<RecordsCandidate>& candidates() const { return candidates_; }

  // How far along the path the document goes, for messages.
  struct Reached {
    std::size_t steps = 0;          // of the path
    char first = '\0';              // first byte of the value there
    std::vector<std::string> keys;  // a few of its fields, when it is an object
  };
  const Reached& reached() const { return reached_; }

 private:
  enum class Phase : std::uint8_t { value, value_or_end, key_or_end, key, colon, after, end };
  struct Frame {
    bool object = false;
    std::size_t matched = 0;  // steps of the path matched by this container; kNone = off the path
    std::size_t index = 0;
    std::string key;  // of the member being read
    bool array_candidate = false;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  Result<bool> byte(char c, std::size_t& at, Event& event);
  Result<bool> value_starts(char c, std::size_t& at, Event& event);
  Result<void> enter(char c, std::size_t matched);
  void leave();
  bool in_object() const { return deep_.empty() ? stack_.back().object : deep_.back(); }
  std::size_t match_child() const;
  void string_ends();
  void note_candidate(char first);
  std::string path_here() const;
  std::unexpected<Error> malformed(char c) const;

  std::vector<PathStep> path_;
  bool match_;
  bool discover_;
  std::vector<Frame>
      stack_;  // the outermost containers; of those inside them `deep_` knows which are objects
  std::vector<bool> deep_;
  Phase phase_ = Phase::value;
  bool started_ = false;
  char top_ = '\0';
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_scalar_ = false;
  std::string scalar_;          // as read so far
  bool first_element_ = false;  // the next value is the first of an array that may be a candidate
  std::vector<RecordsCandidate> candidates_;
  Reached reached_;
};

}  // namespace sluice::decode
