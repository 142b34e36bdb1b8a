#include "app/progress_bar.h"

#include "base/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace sluice::app {
namespace {

std::string bytes_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{:.0f} KiB", bytes / 1024);
  return fmt::format("{:.1f} MiB", bytes / 1024 / 1024);
}

}  // namespace

ProgressBar::ProgressBar(std::string label, bool wanted)
    : label_(std::move(label)),
      enabled_(wanted && ::isatty(2) == 1),
      started_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
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
  fmt::print(stderr, "\r\x1b[K{}{}  {} rows  {}  {} rows/s", label_, bar, group_digits(progress.rows),
             bytes_text(static_cast<double>(progress.bytes)), group_digits(static_cast<long long>(rate)));
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace sluice::app
