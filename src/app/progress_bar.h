// Rows, bytes and rate of a running load on one line of a terminal. Draws nothing when standard error is no
// terminal.
#pragma once

#include "jobs/job.h"

#include <chrono>
#include <mutex>
#include <string>

namespace sluice::app {

class ProgressBar {
 public:
  ProgressBar(std::string label, bool wanted);
  ~ProgressBar();  // clears the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void show(const jobs::Progress& progress);  // any thread

 private:
  std::mutex mutex_;
  std::string label_;
  bool enabled_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace sluice::app
