// Shell patterns over files: * ? [abc] [a-z] [!a-z], in any part of a path; \ quotes the next character; a
// part
// ** is any number of folders, none included.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <stop_token>
#include <string_view>
#include <vector>

namespace sluice::fetch {

bool has_pattern(std::string_view part);

// One path part against one pattern part. A leading dot is matched only by a dot, as in the shell: editors
// and uploads keep their half-written files under such names.
bool matches(std::string_view pattern, std::string_view name);

// The folder above the first part with a pattern.
std::filesystem::path fixed_folder(const std::filesystem::path& pattern);

// The files that match, sorted by path. A path without a pattern, and one that exists word for word, is
// itself. Errors: not_found naming pattern and folder when nothing matches, io when a folder cannot be
// listed, cancelled.
Result<std::vector<std::filesystem::path>> expand(const std::filesystem::path& pattern, std::stop_token stop);

}  // namespace sluice::fetch
