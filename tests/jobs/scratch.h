// A folder that goes with the test, and a store in it.
#pragma once

#include "jobs/sqlite/store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace sluice::jobs {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-jobs-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<Store> open_store(const std::filesystem::path& folder) {
  auto opened = open_sqlite_store(folder);
  if (!opened) {
    ADD_FAILURE() << opened.error().describe();
    std::abort();
  }
  return *std::move(opened);
}

}  // namespace sluice::jobs
