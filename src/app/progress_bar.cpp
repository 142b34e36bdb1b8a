#include "app/progress_bar.h"

#include "app/output.h"
#include "base/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace sluice::app {
namespace {

std::string bytes_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{:.0f} KiB", bytes / 1024);
  return fmt::format("{:.1f} MiB", bytes / 1024 / 1024);
}

// A terminal that can clear a line.
bool draws(int stream) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(stream) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

ProgressBar::ProgressBar(std::string label, bool wanted)
    : label_(std::move(label)), enabled_(wanted && draws(2)), started_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (drawn_) err("\r\x1b[K");
}

void ProgressBar::show(const jobs::Progress& progress) {
  if (!enabled_) return;
  const std::lock_guard lock(mutex_);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  std::string bar;
  if (progress.total_bytes && *progress.total_bytes > 0) {
    const double part =
        std::min(1.0, static_cast<double>(progress.bytes) / static_cast<double>(*progress.total_bytes));
    const auto filled = static_cast<std::size_t>(part * 24);
    bar =
        fmt::format(" [{}{}] {:3.0f}%", std::string(filled, '='), std::string(24 - filled, ' '), part * 100);
  }
  const double rate = seconds > 0.05 ? static_cast<double>(progress.rows) / seconds : 0;
  err("\r\x1b[K{}{}  {} rows  {}  {} rows/s", label_, bar, group_digits(progress.rows),
      bytes_text(static_cast<double>(progress.bytes)), group_digits(static_cast<long long>(rate)));
  drawn_ = true;
}

}  // namespace sluice::app
