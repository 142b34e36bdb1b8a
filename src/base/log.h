// Log set-up. Lines go to standard error; standard output belongs to what the user asked for.
#pragma once

#include "base/error.h"

#include <string_view>

namespace sluice {

// level: trace debug info warn error off. Call once, from main.
Result<void> set_up_log(std::string_view level);

}  // namespace sluice
