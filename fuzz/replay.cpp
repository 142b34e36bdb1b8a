// Stands in for libFuzzer where there is none: runs a target on every file of the folders named, and on a few
// damaged forms of each, always the same ones. Of a .tsv file every line's first cell is an input. Names the
// input that made the target fail.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// There when a sanitizer is; it ends the process itself, with a better report than a signal handler could
// give.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());  // NOLINT

namespace {

namespace fs = std::filesystem;

std::string shown;  // what the target is working on, for the handler

void say_what_failed() { std::fprintf(stderr, "replay: failed on %s\n", shown.c_str()); }
void die(int) {
  say_what_failed();
  std::_Exit(1);
}

void run(const std::string& bytes, std::string what) {
  shown = std::move(what);
  // A copy of just this size, so that the address sanitizer sees every read beyond it.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::string damaged(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  if (bytes.empty()) return bytes;
  const auto at = below(bytes.size());
  switch (below(5)) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2:
      bytes.erase(at, 1 + below(8));
      break;
    case 3:
      bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(32)));
      break;
    default:
      bytes.insert(at, 1, "\",;{}[]\n\r\\\0:"[below(12)]);
  }
  return bytes;
}

// The input itself, then damaged forms of it; every fourth starts from the whole input again.
std::size_t run_forms(const std::string& bytes, const std::string& name, int forms) {
  run(bytes, name);
  if (bytes.size() > 64 * 1024) return 1;
  std::mt19937 random(static_cast<unsigned>(bytes.size()));
  std::string form = bytes;
  for (int n = 0; n < forms; ++n) {
    if (n % 4 == 0) form = bytes;
    form = damaged(std::move(form), random);
    run(form, name + ", damaged form " + std::to_string(n + 1));
  }
  return static_cast<std::size_t>(forms) + 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s DAMAGED-FORMS FOLDER-OR-FILE…\n", argv[0]);
    return 2;
  }
  std::signal(SIGABRT, die);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(say_what_failed);
  } else {
    std::signal(SIGSEGV, die);
  }
  std::vector<fs::path> files;
  for (int i = 2; i < argc; ++i) {
    if (!fs::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  const int forms = std::atoi(argv[1]);
  std::size_t runs = 0;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "replay: cannot read %s\n", path.c_str());
      return 2;
    }
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (path.extension() != ".tsv") {
      runs += run_forms(bytes, path.string(), forms);
      continue;
    }
    std::istringstream lines(bytes);
    for (std::string line; std::getline(lines, line);) {
      line.resize(std::min(line.size(), line.find('\t')));
      runs += run_forms(line, path.string() + ": " + line, forms);
    }
  }
  std::printf("%zu files, %zu runs\n", files.size(), runs);
  return files.empty() ? 1 : 0;
}
