// Unpacks the embedded gzip files for the rare client that does not take gzip.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace sluice::api {

Result<std::string> inflate_gzip(std::string_view packed);

}  // namespace sluice::api
