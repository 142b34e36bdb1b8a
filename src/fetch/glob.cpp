#include "fetch/glob.h"

#include "fetch/path_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
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

// Calls `visit` with each entry of the folder; one that is not there, or is no folder, has none.
Result<void> list(const fs::path& folder, const std::stop_token& stop,
                  const std::function<void(const fs::directory_entry&)>& visit) {
  std::error_code code;
  fs::directory_iterator entries(folder.empty() ? fs::path(".") : folder, code);
  if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) return {};
  while (!code && entries != fs::directory_iterator()) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while folders were listed");
    visit(*entries);
    entries.increment(code);
  }
  if (code)
    return fail(ErrorCode::io, fmt::format("cannot list folder {}: {}", shown(folder), code.message()));
  return {};
}

// The folder and all below it. Links to folders are left out: they may lead round in a circle.
Result<void> list_tree(const fs::path& top, const std::stop_token& stop, std::vector<fs::path>& into) {
  std::error_code code;
  if (!fs::is_directory(top.empty() ? fs::path(".") : top, code)) return {};
  for (std::size_t next = into.size(), end = (into.push_back(top), into.size()); next < end; ++next) {
    const fs::path folder = into[next];
    SLUICE_CHECK(list(folder, stop, [&](const fs::directory_entry& entry) {
      const auto name = entry.path().filename();
      if (name.native().starts_with('.') || entry.is_symlink(code) || !entry.is_directory(code)) return;
      into.push_back(folder / name);
    }));
    end = into.size();
  }
  return {};
}

// What `part` stands for below `folder`.
Result<void> step_down(const fs::path& folder, const fs::path& part, const std::stop_token& stop,
                       std::vector<fs::path>& into) {
  std::error_code code;
  if (part == "**") return list_tree(folder, stop, into);
  if (has_pattern(part.native())) {
    return list(folder, stop, [&](const fs::directory_entry& entry) {
      const auto name = entry.path().filename();
      if (matches(part.native(), name.native())) into.push_back(folder / name);
    });
  }
  if (fs::exists(folder / part, code)) into.push_back(folder / part);
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

Result<std::vector<fs::path>> expand(const fs::path& pattern, std::stop_token stop) {
  std::error_code code;
  if (!has_pattern(pattern.native()) || fs::exists(fs::symlink_status(pattern, code)))
    return std::vector{pattern};
  std::vector<fs::path> found{fs::path()};
  const auto step = [&](const fs::path& part) -> Result<void> {
    std::vector<fs::path> next;
    for (const auto& folder : found) SLUICE_CHECK(step_down(folder, part, stop, next));
    found = std::move(next);
    return {};
  };
  for (const auto& part : pattern) SLUICE_CHECK(step(part));
  if (pattern.filename() == "**") SLUICE_CHECK(step("*"));  // so far only the folders
  // A folder that happens to match *.csv is not meant; one that is named in full is refused when opened.
  std::erase_if(found, [&](const fs::path& path) { return fs::is_directory(path, code); });
  if (found.empty()) {
    const auto folder = fixed_folder(pattern);
    if (!folder.empty() && !fs::is_directory(folder, code))
      return fail(ErrorCode::not_found,
                  fmt::format("no file matches {}: there is no folder {}", shown(pattern), shown(folder)));
    return fail(ErrorCode::not_found, fmt::format("no file in {} matches {}", shown(folder),
                                                  shown(pattern.lexically_relative(folder))));
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());  // **/** comes by many ways
  return found;
}

}  // namespace sluice::fetch
