#include "task/output_lines.h"

#include "base/text.h"

#include <fmt/format.h>

namespace sluice::task {
namespace {

// A line that never ends is not gathered for ever.
constexpr std::size_t kMostPending = 64u << 10;

Level level_of(bool errors) { return errors ? Level::warning : Level::info; }

}  // namespace

void OutputLines::add(bool errors, std::string_view bytes) {
  bytes_ += static_cast<std::int64_t>(bytes.size());
  auto& stream = streams_[errors ? 1 : 0];
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (stream.pending.size() < kMostPending) {
      stream.pending.append(part.substr(0, kMostPending - stream.pending.size()));
      stream.too_long = stream.pending.size() == kMostPending;
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    end_line(errors);
  }
}

void OutputLines::end_line(bool errors) {
  auto& stream = streams_[errors ? 1 : 0];
  auto text = stream.too_long ? mask_.apply_to_cut(std::move(stream.pending) + "…")
                              : mask_.apply(std::move(stream.pending));
  stream = Stream();
  while (text.ends_with('\r')) text.pop_back();
  ++lines_;
  text = printable(text, kLongestLine);
  if (trim(text).empty()) return;
  (errors ? last_error_ : last_) = text;
  if (told_ < kLines && told_bytes_ + text.size() <= kBytes) {
    ++told_;
    told_bytes_ += text.size();
    log_(level_of(errors), text);
    return;
  }
  told_ = kLines;  // what follows is for the end, or lines would come out of order
  kept_bytes_ += text.size();
  kept_.push_back({errors, std::move(text)});
  while (kept_.size() > kLines || kept_bytes_ > kBytes) {
    kept_bytes_ -= kept_.front().text.size();
    kept_.pop_front();
    ++left_out_;
  }
}

void OutputLines::finish() {
  for (const bool errors : {false, true}) {
    if (!streams_[errors ? 1 : 0].pending.empty()) end_line(errors);
  }
  if (left_out_ > 0)
    log_(Level::info, fmt::format("… {} lines are left out here …", group_digits(left_out_)));
  for (const auto& line : kept_) log_(level_of(line.errors), line.text);
  kept_.clear();
}

}  // namespace sluice::task
