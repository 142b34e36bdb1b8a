// What a process of this machine holds in memory.
#pragma once

#include <cstdint>
#include <optional>

namespace sluice::api {

// Resident bytes of a process that runs this very program; nothing when it is gone, another program's, or not
// for this user to see. A process id of another container may be another program's here: that is noticed.
std::optional<std::int64_t> resident_bytes(std::int64_t pid);

}  // namespace sluice::api
