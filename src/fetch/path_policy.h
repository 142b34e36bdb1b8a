// Which files the definitions may read: a folder that people drop files into must not grant itself rights.
#pragma once

#include "base/error.h"
#include "fetch/fetch.h"

#include <filesystem>

namespace sluice::fetch {

// `real`: without symbolic links. Error forbidden, naming --allow-path, when it lies below no allowed root.
Result<void> check_path(const std::filesystem::path& real, const std::filesystem::path& as_written,
                        const Policy& policy);

}  // namespace sluice::fetch
