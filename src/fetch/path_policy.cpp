#include "fetch/path_policy.h"

#include "fetch/path_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace sluice::fetch {
namespace fs = std::filesystem;

Result<void> check_path(const fs::path& real, const fs::path& as_written, const Policy& policy) {
  if (policy.allow_any_path) return {};
  for (const auto& allowed : policy.allowed_roots) {
    std::error_code code;
    fs::path root = fs::weakly_canonical(allowed, code);
    if (code || root.empty()) continue;  // an empty path would be the beginning of every other
    if (!root.has_filename()) root = root.parent_path();  // "data/" and "data" are one folder
    const auto [in_root, in_path] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
    if (in_root == root.end()) return {};
  }
  std::error_code code;
  const auto folder = fs::is_directory(real, code) ? real : real.parent_path();
  const auto is_link = real.lexically_normal() != as_written.lexically_normal();
  return fail(
      ErrorCode::forbidden,
      fmt::format("{}{} lies outside the folders that definitions may read; start with --allow-path {} "
                  "to allow it",
                  shown(as_written), is_link ? fmt::format(" (really {})", shown(real)) : "", shown(folder)));
}

}  // namespace sluice::fetch
