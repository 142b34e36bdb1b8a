// Owns libcurl's process-wide set-up. Create one in main, before any thread and before the first fetch.
#pragma once

#include "base/error.h"

#include <string>
#include <utility>

namespace sluice::fetch {

class CurlLibrary {
 public:
  // Error internal when libcurl cannot be set up.
  static Result<CurlLibrary> start();
  CurlLibrary(CurlLibrary&& other) noexcept : owns_(std::exchange(other.owns_, false)) {}
  CurlLibrary& operator=(CurlLibrary&&) = delete;
  ~CurlLibrary();

  static std::string version();  // "libcurl/7.88.1 OpenSSL/3.0.19 …", for `sluice --version` and the log

 private:
  CurlLibrary() = default;
  bool owns_ = true;
};

}  // namespace sluice::fetch
