// The output of a command as lines of a log: the first ones as they come, of the rest the last.
#pragma once

#include "fetch/secret_mask.h"
#include "task/run.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sluice::task {

class OutputLines {
 public:
  // So many lines and bytes at the beginning, and so many at the end.
  static constexpr std::size_t kLines = 500;
  static constexpr std::size_t kBytes = 32u << 10;
  static constexpr std::size_t kLongestLine = 4000;

  // Both outlive the object. Secrets are taken out before a line is cut: half of one is one too.
  OutputLines(const fetch::SecretMask& mask, const Log& log) : mask_(mask), log_(log) {}

  void add(bool errors, std::string_view bytes);
  // Tells the last lines. Once, at the end.
  void finish();

  std::int64_t lines() const { return lines_; }
  std::int64_t bytes() const { return bytes_; }
  // Of standard error, or else of both: what a program says last is why it failed. Empty when it said
  // nothing.
  const std::string& last_line() const { return last_error_.empty() ? last_ : last_error_; }

 private:
  struct Line {
    bool errors;
    std::string text;
  };
  struct Stream {
    std::string pending;  // a line whose end has not come
    bool too_long = false;
  };
  void end_line(bool errors);

  const fetch::SecretMask& mask_;
  const Log& log_;
  std::array<Stream, 2> streams_;
  std::size_t told_ = 0, told_bytes_ = 0;
  std::deque<Line> kept_;
  std::size_t kept_bytes_ = 0;
  std::int64_t left_out_ = 0;
  std::int64_t lines_ = 0, bytes_ = 0;
  std::string last_, last_error_;
};

}  // namespace sluice::task
