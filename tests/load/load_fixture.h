// What a run within a test needs around it: a folder, and someone who watches and may stop it.
#pragma once

#include "load/run.h"

#include <cstdlib>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

namespace sluice::load::test {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    // Memory where there is one: these tests are not about the disk.
    const fs::path base = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    std::string name = base / "sluice-property-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Asks for a stop at its nth event; never when n is 0.
class StoppingObserver final : public Observer {
 public:
  explicit StoppingObserver(int at) : left_(at) {}
  void progress(const Progress&) override { event(); }
  void log(Level, std::string_view text) override {
    said_ += std::string(text) + "\n";
    event();
  }
  std::stop_token token() const { return stop_.get_token(); }
  const std::string& said() const { return said_; }

 private:
  void event() {
    if (left_ > 0 && --left_ == 0) stop_.request_stop();
  }
  int left_;
  std::stop_source stop_;
  std::string said_;
};

}  // namespace sluice::load::test
