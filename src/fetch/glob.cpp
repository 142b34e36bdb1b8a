#include "fetch/glob.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace sluice::fetch {
namespace fs = std::filesystem;
namespace {

// [abc], [a-z], [!x]: sets `ok` and returns the position after the set, or npos when it is never closed (the
// bracket is then an ordinary character).
std::size_t match_set(std::string_view pattern, std::size_t at, char c, bool& ok) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const std::size_t first = i;
  bool found = false;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > first) {
      ok = found != negated;
      return i + 1;
    }
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    found = found || (byte >= low && byte <= high);
  }
  return std::string_view::npos;
}

// One pattern element against one character; `next` is where the pattern goes on.
bool match_one(std::string_view pattern, std::size_t at, char c, std::size_t& next) {
  next = at + 1;
  if (pattern[at] == '?') return true;
  if (pattern[at] == '\\' && at + 1 < pattern.size()) {
    next = at + 2;
    return pattern[at + 1] == c;
  }
  if (pattern[at] == '[') {
    bool ok = false;
    if (const auto after = match_set(pattern, at, c, ok); after != std::string_view::npos) {
      next = after;
      return ok;
    }
  }
  return pattern[at] == c;
}

Result<void> list_matches(const fs::path& folder, const std::string& pattern, std::vector<fs::path>& into) {
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) return {};
  while (!code && entries != fs::directory_iterator()) {
    if (matches(pattern, entries->path().filename().native())) into.push_back(entries->path());
    entries.increment(code);
  }
  if (code)
    return fail(ErrorCode::io, fmt::format("cannot list folder {}: {}", folder.string(), code.message()));
  return {};
}

}  // namespace

bool has_pattern(std::string_view part) { return part.find_first_of("*?[") != std::string_view::npos; }

bool matches(std::string_view pattern, std::string_view name) {
  if (!name.empty() && name[0] == '.' && (pattern.empty() || pattern[0] != '.')) return false;
  // Backtracks to the last star only: linear in practice, never exponential.
  constexpr auto none = std::string_view::npos;
  std::size_t p = 0, n = 0, star = none, star_name = 0;
  while (n < name.size()) {
    std::size_t next = 0;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && match_one(pattern, p, name[n], next)) {
      p = next;
      ++n;
    } else if (star != none) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

fs::path fixed_folder(const fs::path& pattern) {
  fs::path folder;
  for (const auto& part : pattern.parent_path()) {
    if (has_pattern(part.native())) break;
    folder /= part;
  }
  return folder;
}

Result<std::vector<fs::path>> expand(const fs::path& pattern) {
  std::error_code code;
  if (!has_pattern(pattern.native()) || fs::exists(fs::symlink_status(pattern, code)))
    return std::vector{pattern};
  std::vector<fs::path> found{fs::path()};
  for (const auto& part : pattern) {
    std::vector<fs::path> next;
    for (const auto& folder : found) {
      if (has_pattern(part.native())) {
        SLUICE_CHECK(list_matches(folder, part.native(), next));
      } else if (next.emplace_back(folder / part); !fs::exists(next.back(), code)) {
        next.pop_back();
      }
    }
    found = std::move(next);
  }
  // A folder that happens to match *.csv is not meant; one that is named in full is refused when opened.
  std::erase_if(found, [&](const fs::path& path) { return fs::is_directory(path, code); });
  if (found.empty()) {
    const auto folder = fixed_folder(pattern);
    if (!fs::is_directory(folder, code))
      return fail(ErrorCode::not_found, fmt::format("no file matches {}: there is no folder {}",
                                                    pattern.string(), folder.string()));
    return fail(ErrorCode::not_found, fmt::format("no file in {} matches {}", folder.string(),
                                                  pattern.lexically_relative(folder).string()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace sluice::fetch
