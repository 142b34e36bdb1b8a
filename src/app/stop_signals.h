// Ctrl-C and SIGTERM as a stop token; SIGPIPE is ignored from here on, so that work is finished even when
// nobody reads on. Made in main's thread before any other thread starts, so that all of them leave the
// signals to it.
#pragma once

#include "base/file.h"

#include <stop_token>
#include <thread>

namespace sluice::app {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  void wait() const;  // until a signal came

 private:
  std::stop_source source_;
  FileHandle signals_;
  FileHandle wake_;
  std::thread thread_;
};

}  // namespace sluice::app
