// Child processes for tests: started with their own output files, waited for with a limit, killed by process
// id.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

struct Finished {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;
};

// One child process. Its destructor kills it if it still runs.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::filesystem::path& directory);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return id_; }
  void signal(int number) const;
  // Waits until it ends; kills it and fails the test after the limit.
  Finished wait(std::chrono::seconds limit = std::chrono::seconds(120));
  // Waits up to `limit` for the end; nothing when it still runs.
  std::optional<Finished> wait_for(std::chrono::milliseconds limit);
  // Waits until its output (either stream) holds the text.
  bool wait_for_output(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(30));
  std::string output() const;  // both streams so far

 private:
  pid_t id_ = -1;
  int status_ = 0;
  bool ended_ = false;
  std::filesystem::path out_;
  std::filesystem::path err_;
};

// A folder of its own under the system's temporary folder, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Finished run(const std::vector<std::string>& command, const std::filesystem::path& directory,
             std::chrono::seconds limit = std::chrono::seconds(120));
std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& text);
std::string sluice_program();

}  // namespace sluice::test
