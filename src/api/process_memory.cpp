#include "api/process_memory.h"

#include "base/file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace sluice::api {
namespace {

namespace fs = std::filesystem;

bool runs_this_program(std::int64_t pid) {
  if (pid == ::getpid()) return true;
  std::error_code code;
  const auto mine = fs::read_symlink("/proc/self/exe", code);
  if (code) return false;
  const auto other = fs::read_symlink(fmt::format("/proc/{}/exe", pid), code);
  return !code && mine == other;
}

}  // namespace

std::optional<std::int64_t> resident_bytes(std::int64_t pid) {
  if (pid <= 0 || !runs_this_program(pid)) return std::nullopt;
  const auto text = read_file(fmt::format("/proc/{}/statm", pid), 4096);
  if (!text) return std::nullopt;
  long long size = 0;
  long long resident = 0;
  if (std::sscanf(text->c_str(), "%lld %lld", &size, &resident) != 2) return std::nullopt;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace sluice::api
