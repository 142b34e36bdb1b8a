#include "cpu.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sluice::bench {
namespace {

struct Ticks {
  long parent = 0;
  double own = 0, ended_children = 0;
};

// /proc/PID/stat: the name stands in brackets and may hold anything.
Ticks ticks_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  std::getline(file, line);
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream rest(line.substr(bracket + 1));
  Ticks ticks;
  std::string skipped;
  rest >> skipped >> ticks.parent;
  for (int i = 0; i < 9; ++i) rest >> skipped;
  double user = 0, system = 0, children_user = 0, children_system = 0;
  rest >> user >> system >> children_user >> children_system;
  ticks.own = user + system;
  ticks.ended_children = children_user + children_system;
  return ticks;
}

double server_ticks(const std::string& server) {
  const Ticks parent = ticks_of(server);
  double sum = parent.own + parent.ended_children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    long number = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), number).ec != std::errc()) continue;
    if (const Ticks child = ticks_of(name); std::to_string(child.parent) == server) sum += child.own;
  }
  return sum;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::chrono::duration<double> cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  double sum = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  if (const char* server = std::getenv("SERVER_PID"); server != nullptr && *server != '\0')
    sum += server_ticks(server) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return std::chrono::duration<double>(sum);
}

}  // namespace sluice::bench
