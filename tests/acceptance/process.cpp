#include "acceptance/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

// Waits for the end of a process without polling: a process file descriptor becomes readable then.
bool wait_until_ended(pid_t id, std::chrono::milliseconds limit) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
  if (handle < 0) return true;  // it has ended already
  pollfd wanted{.fd = handle, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&wanted, 1, static_cast<int>(limit.count()));
  ::close(handle);
  return ready > 0;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const fs::path& directory) {
  std::string out = (fs::temp_directory_path() / "sluice-out-XXXXXX").string();
  std::string err = (fs::temp_directory_path() / "sluice-err-XXXXXX").string();
  const int out_file = ::mkostemp(out.data(), O_CLOEXEC);
  const int err_file = ::mkostemp(err.data(), O_CLOEXEC);
  out_ = out;
  err_ = err;
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  id_ = ::fork();
  if (id_ == 0) {
    ::dup2(out_file, 1);
    ::dup2(err_file, 2);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    if (::chdir(directory.c_str()) != 0) ::_exit(126);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(out_file);
  ::close(err_file);
}

Process::~Process() {
  if (!ended_ && id_ > 0) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, &status_, 0);
  }
  std::error_code ignored;
  fs::remove(out_, ignored);
  fs::remove(err_, ignored);
}

void Process::signal(int number) const {
  if (!ended_) ::kill(id_, number);
}

std::optional<Finished> Process::wait_for(std::chrono::milliseconds limit) {
  if (!ended_) {
    if (!wait_until_ended(id_, limit)) return std::nullopt;
    ::waitpid(id_, &status_, 0);
    ended_ = true;
  }
  Finished result;
  result.exit_code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  result.out = read_text(out_);
  result.err = read_text(err_);
  return result;
}

Finished Process::wait(std::chrono::seconds limit) {
  if (auto finished = wait_for(limit)) return *finished;
  ADD_FAILURE() << "process " << id_ << " did not end within " << limit.count() << " s; it said:\n"
                << output();
  signal(SIGKILL);
  return *wait_for(std::chrono::seconds(10));
}

bool Process::wait_for_output(const std::string& text, std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    if (output().find(text) != std::string::npos) return true;
    if (wait_until_ended(id_, std::chrono::milliseconds(20))) return output().find(text) != std::string::npos;
  }
  return false;
}

std::string Process::output() const { return read_text(out_) + read_text(err_); }

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "sluice-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Finished run(const std::vector<std::string>& command, const fs::path& directory, std::chrono::seconds limit) {
  Process process(command, directory);
  return process.wait(limit);
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
}

std::string sluice_program() { return SLUICE_PROGRAM; }

}  // namespace sluice::test
