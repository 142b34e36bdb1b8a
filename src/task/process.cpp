#include "task/process.h"

#include "base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace sluice::task {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

struct Pipe {
  FileHandle read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail_transient(ErrorCode::io, "no pipe can be made: " + os_message(errno));
  return Pipe{FileHandle(ends[0]), FileHandle(ends[1])};
}

std::string path_of(const ProcessSpec& spec) {
  for (const auto& [name, value] : spec.environment) {
    if (name == "PATH") return value;
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

// As execvp() would, but before the fork: between fork and exec nothing may ask for memory.
Result<fs::path> find_program(const ProcessSpec& spec) {
  const auto& name = spec.arguments.front();
  if (name.find('/') != std::string::npos) {
    auto path = (spec.directory / name).lexically_normal();
    std::error_code error;
    if (!fs::exists(path, error))
      return fail(ErrorCode::not_found, fmt::format("there is no program {}", printable(path.string())));
    if (::access(path.c_str(), X_OK) != 0 || fs::is_directory(path, error))
      return fail(ErrorCode::forbidden,
                  fmt::format("{} cannot be executed; chmod +x makes a file executable", path.string()));
    return path;
  }
  const auto path = path_of(spec);
  for (const auto folder : split(path, ':')) {
    if (folder.empty()) continue;
    auto candidate = fs::path(folder) / name;
    std::error_code error;
    if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return fail(ErrorCode::not_found,
              fmt::format("there is no program \"{}\" in {}; one beside the definition is ./{}",
                          printable(name, 60), printable(path, 300), printable(name, 60)));
}

// What goes wrong between fork and exec, told to the parent.
struct StartError {
  enum class Step : int { directory, program } step;
  int number;
};

struct Prepared {
  const char* program;
  const char* directory;
  char* const* arguments;
  char* const* environment;
  int input, output, errors, status;
  pid_t parent;
};

// The child between fork and exec: only what is safe in a process that had other threads.
[[noreturn]] void become(const Prepared& prepared) {
  const auto give_up = [&](StartError::Step step) {
    const StartError error{step, errno};
    const auto written = ::write(prepared.status, &error, sizeof error);
    static_cast<void>(written);
    ::_exit(127);
  };
  ::setpgid(0, 0);
  // A program must not outlive the process that would have counted its result: the job is run again then.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(prepared.input, STDIN_FILENO);
  ::dup2(prepared.output, STDOUT_FILENO);
  ::dup2(prepared.errors, STDERR_FILENO);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (::chdir(prepared.directory) != 0) give_up(StartError::Step::directory);
  ::execve(prepared.program, prepared.arguments, prepared.environment);
  give_up(StartError::Step::program);
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::unexpected<Error> start_error(const StartError& error, const ProcessSpec& spec,
                                   const fs::path& program) {
  if (error.step == StartError::Step::directory)
    return fail(ErrorCode::not_found,
                fmt::format("cannot run in {}: {}", spec.directory.string(), os_message(error.number)));
  const auto advice = error.number == ENOEXEC  ? "; a script begins with a line like #!/bin/sh"
                      : error.number == ENOENT ? "; is the interpreter of its first line there?"
                                               : "";
  return fail(error.number == ENOMEM || error.number == EAGAIN ? ErrorCode::io : ErrorCode::forbidden,
              fmt::format("cannot start {}: {}{}", program.string(), os_message(error.number), advice));
}

}  // namespace

Result<Process> Process::start(const ProcessSpec& spec) {
  SLUICE_TRY(const auto program, find_program(spec));
  SLUICE_TRY(auto output, make_pipe());
  SLUICE_TRY(auto errors, make_pipe());
  SLUICE_TRY(auto status, make_pipe());
  const FileHandle input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto arguments = spec.arguments;
  std::vector<std::string> environment;
  environment.reserve(spec.environment.size());
  for (const auto& [name, value] : spec.environment) environment.push_back(name + '=' + value);
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  const Prepared prepared{program.c_str(), spec.directory.c_str(), argv.data(),        envp.data(),
                          input.get(),     output.write.get(),     errors.write.get(), status.write.get(),
                          ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return fail_transient(ErrorCode::io, "no process can be started: " + os_message(errno));
  if (pid == 0) become(prepared);
  ::setpgid(pid, pid);  // whoever is first
  Process process;
  process.pid_ = pid;
  process.outputs_ = {std::move(output.read), std::move(errors.read)};
  status.write = FileHandle();
  StartError error{};
  ssize_t got = 0;
  do got = ::read(status.read.get(), &error, sizeof error);
  while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof error)) return start_error(error, spec, program);
  process.ended_ = FileHandle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.ended_) return fail(ErrorCode::io, "a process cannot be watched: " + os_message(errno));
  for (const auto& handle : process.outputs_) ::fcntl(handle.get(), F_SETFL, O_NONBLOCK);
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      ended_(std::move(other.ended_)),
      outputs_(std::move(other.outputs_)) {}

Process::~Process() {
  if (pid_ < 0) return;
  end_group(SIGKILL);
  reap();
}

// Until the program is reaped, its number belongs to nobody else.
void Process::end_group(int signal) const { ::kill(-pid_, signal); }

ProcessEnd Process::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ProcessEnd end;
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.exit_code = WEXITSTATUS(status);
  }
  return end;
}

// False: there is nothing to read now, or never again.
bool Process::read_some(int index, const Output& output) {
  auto& handle = outputs_[static_cast<std::size_t>(index)];
  if (!handle) return false;
  std::array<char, 16 * 1024> buffer;
  const auto got = ::read(handle.get(), buffer.data(), buffer.size());
  if (got > 0) {
    output(index == 1, {buffer.data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) handle = FileHandle();
  return false;
}

Result<ProcessEnd> Process::wait(const Output& output, milliseconds grace, const std::stop_token& stop) {
  const FileHandle wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail_transient(ErrorCode::io, "a process cannot be watched: " + os_message(errno));
  const std::stop_callback on_stop(stop, [&] {
    const std::uint64_t one = 1;
    const auto written = ::write(wake.get(), &one, sizeof one);
    static_cast<void>(written);
  });
  std::optional<SteadyTime> deadline;  // of the group, once it was asked to end
  for (;;) {
    if (stop.stop_requested() && !deadline) {
      end_group(SIGTERM);
      deadline = std::chrono::steady_clock::now() + grace;
    }
    milliseconds left{-1};
    if (deadline) {
      left = std::chrono::ceil<milliseconds>(*deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) end_group(SIGKILL);
      left = std::max(left, milliseconds(10));
    }
    // A closed output is -1 here, which poll() passes over.
    std::array<pollfd, 4> watched = {{{ended_.get(), POLLIN, 0},
                                      {deadline ? -1 : wake.get(), POLLIN, 0},
                                      {outputs_[0].get(), POLLIN, 0},
                                      {outputs_[1].get(), POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR)
      return fail(ErrorCode::io, "a process cannot be watched: " + os_message(errno));
    if (watched[2].revents != 0) read_some(0, output);
    if (watched[3].revents != 0) read_some(1, output);
    if (watched[0].revents == 0) continue;
    // What it left running would hold the pipes open, and write for nobody.
    end_group(SIGKILL);
    const auto end = reap();
    for (const int index : {0, 1}) {
      while (read_some(index, output)) {
      }
    }
    return end;
  }
}

}  // namespace sluice::task
