// Bytes packed as gzip, for sources of tests.
#pragma once

#include <string>

namespace sluice::test {

std::string gzip(const std::string& text);

}  // namespace sluice::test
