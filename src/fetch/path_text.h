// Paths in messages: names come from the world, and a line break in one must not write a log line.
#pragma once

#include "base/text.h"

#include <filesystem>
#include <string>

namespace sluice::fetch {

inline std::string shown(const std::filesystem::path& path) { return printable(path.native(), 4096); }

}  // namespace sluice::fetch
