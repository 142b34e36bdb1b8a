// A program that runs, with everything it starts: one process group, which ends with the object.
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::task {

struct ProcessSpec {
  std::vector<std::string> arguments;  // the program first; without a slash it is looked for in PATH
  std::filesystem::path directory;
  std::vector<std::pair<std::string, std::string>> environment;  // all of it
};

struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;  // that ended it; 0 = it ended by itself
};

class Process {
 public:
  // Standard input is empty; both outputs come to wait(). Errors: not_found (no such program or folder),
  // forbidden (not executable), io.
  static Result<Process> start(const ProcessSpec& spec);
  // Ends the whole group by force, when it has not ended.
  ~Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&&) = delete;

  // Bytes as they come; `errors`: of standard error.
  using Output = std::function<void(bool errors, std::string_view bytes)>;
  // Until the program ends. What it leaves behind in its group is ended then too. When stop is requested, the
  // group is asked to end (SIGTERM) and, after `grace`, made to (SIGKILL). On the calling thread; once.
  Result<ProcessEnd> wait(const Output& output, std::chrono::milliseconds grace, const std::stop_token& stop);

 private:
  Process() = default;
  void end_group(int signal) const;
  bool read_some(int index, const Output& output);
  ProcessEnd reap();

  pid_t pid_ = -1;    // of the program, and of its group; -1: it has been reaped
  FileHandle ended_;  // readable once it has ended
  std::array<FileHandle, 2> outputs_;
};

}  // namespace sluice::task
